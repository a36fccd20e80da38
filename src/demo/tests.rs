use chrono::TimeZone;
use domain::db::{self, Pool};
use domain::hospital::Site;
use domain::link::Secrets;
use migration::{Migrator, MigratorTrait};

use super::*;

async fn configured(now: DateTime<Utc>) -> Hospital {
    let pool = Pool {
        max_connections: 1,
        ..Pool::default()
    };
    let db = db::connect("sqlite::memory:", &pool).await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    let site = Site {
        public_url: "http://127.0.0.1:8080".to_owned(),
        mail_from: "care@riverbend.example".to_owned(),
        postal_address: "100 Example Way".to_owned(),
        name: "Riverbend Health".to_owned(),
    };
    let h = Hospital {
        db,
        clock: Arc::new(FixedClock::at(now)),
        secrets: Arc::new(Secrets::new([7; 32])),
        site: Arc::new(site),
        playbooks: Arc::new(Playbooks::new(Duration::ZERO)),
    };
    let mut setup = document(now).unwrap();
    // Nobody signs in here, and hashing takes its time.
    setup.staff.iter_mut().for_each(|person| person.password = None);
    configure(&h, &setup, now - TimeDelta::days(200)).await.unwrap();
    h
}

#[tokio::test]
async fn the_same_moment_makes_the_same_history_and_a_later_one_goes_on_from_it() {
    let now = Utc.with_ymd_and_hms(2026, 11, 23, 17, 0, 0).unwrap();
    let h = configured(now).await;
    let (playbook, history) = (h.playbook().await.unwrap(), History::read().unwrap());
    let one = tell(&h, &playbook, &history, now).unwrap();
    let other = tell(&h, &playbook, &history, now).unwrap();
    assert!(one.leads == other.leads, "leads, to the last id");
    assert!(one.contacts == other.contacts && one.enrollments == other.enrollments);
    assert!(one.follow_ups.len() == other.follow_ups.len() && one.messages.len() == other.messages.len());
    let later = tell(&h, &playbook, &history, now + TimeDelta::hours(2)).unwrap();
    let when = |book: &Book| book.leads.iter().map(|lead| lead.received_at).collect::<Vec<_>>();
    let (before, after) = (when(&one), when(&later));
    let same = before.iter().filter(|at| after.binary_search(at).is_ok()).count();
    assert!(
        same * 100 >= before.len() * 98,
        "{same} of {} came at the same moment",
        before.len()
    );
}

#[test]
fn every_address_of_the_staff_belongs_to_nobody() {
    let setup = document(Utc.with_ymd_and_hms(2026, 11, 23, 17, 0, 0).unwrap()).unwrap();
    assert!(setup.staff.len() >= 14);
    assert!(
        setup
            .staff
            .iter()
            .all(|person| person.email.ends_with(".example")),
        "RFC 2606"
    );
}
