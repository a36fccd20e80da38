use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::Role;
use entity::{audit_event, session as sessions, staff, team_member};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
};

use super::*;
use crate::error::{Code, Error};
use crate::ground::Ground;
use crate::id::new_id;

const PASSWORD: &str = "correct horse battery";

fn ada() -> AddStaff {
    AddStaff {
        email: " Ada@Example.org ".to_owned(),
        display_name: "Ada  Park".to_owned(),
        role: Role::IntakeCoordinator,
        time_zone: "America/New_York".to_owned(),
        password: Some(PASSWORD.to_owned()),
        teams: Vec::new(),
    }
}

async fn with_ada() -> (Ground, staff::Model) {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let ada = add(&ground.h, ada()).await.unwrap().value;
    (ground, ada)
}

async fn try_in(ground: &Ground, email: &str, password: &str) -> Result<SignedIn> {
    try_from(ground, "192.0.2.1", email, password).await
}

async fn try_from(ground: &Ground, place: &str, email: &str, password: &str) -> Result<SignedIn> {
    let input = SignIn {
        email: email.to_owned(),
        password: password.to_owned(),
        place: place.to_owned(),
    };
    sign_in(&ground.h, input).await.map(|done| done.value)
}

fn failed(result: Result<SignedIn>) -> (Code, Vec<String>, String) {
    match result {
        Err(Error::Refused(refusals)) if refusals.len() == 1 => (
            refusals[0].code,
            refusals[0].field.clone(),
            refusals[0].message.to_string(),
        ),
        Err(other) => panic!("not a refusal: {other:?}"),
        Ok(_) => panic!("signed in"),
    }
}

fn codes<T>(result: Result<T>) -> Vec<(Code, String)> {
    match result {
        Err(Error::Refused(refusals)) => refusals
            .into_iter()
            .map(|r| (r.code, r.field.join(".")))
            .collect(),
        Err(other) => panic!("not a refusal: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

async fn rows_of_audit(ground: &Ground, action: &str) -> u64 {
    audit_event::Entity::find()
        .filter(audit_event::Column::Action.eq(action))
        .count(&ground.h.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_person_signs_in_by_address_in_any_letters_and_the_secret_opens_the_session() {
    let (ground, ada) = with_ada().await;
    assert_eq!(
        (ada.email.as_str(), ada.display_name.as_str()),
        ("ada@example.org", "Ada Park")
    );
    let signed_in = try_in(&ground, " ADA@example.org", PASSWORD).await.unwrap();
    assert_eq!(signed_in.staff.id, ada.id);
    let (session, staff) = session::open(&ground.h, &signed_in.secret)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((session.id, staff.id), (signed_in.session.id, ada.id));
    let stored = sessions::Entity::find().one(&ground.h.db).await.unwrap().unwrap();
    assert_ne!(
        stored.secret_hash,
        signed_in.secret.as_bytes(),
        "only the hash is stored"
    );
    assert!(session::open(&ground.h, "lwt_guess").await.unwrap().is_none());
    assert_eq!(rows_of_audit(&ground, "staff.sign_in").await, 1);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_sign_in_gets_one_answer() {
    let (ground, ada) = with_ada().await;
    let wrong = failed(try_in(&ground, &ada.email, "correct horse batterY").await);
    assert_eq!((wrong.0, wrong.1.len()), (Code::SignInFailed, 0));
    assert_eq!(failed(try_in(&ground, "bob@example.org", PASSWORD).await), wrong);
    assert_eq!(failed(try_in(&ground, "", "").await), wrong);
    assert_eq!(
        failed(try_in(&ground, &ada.email, &"x".repeat(10_000)).await),
        wrong
    );
    let mut left = ada.clone().into_active_model();
    left.active = Set(false);
    left.update(&ground.h.db).await.unwrap();
    assert_eq!(failed(try_in(&ground, &ada.email, PASSWORD).await), wrong);
    assert_eq!(rows_of_audit(&ground, "staff.sign_in_failed").await, 10);
    let rows = audit_event::Entity::find().all(&ground.h.db).await.unwrap();
    assert!(
        rows.iter().all(|row| !format!("{row:?}").contains("example.org")),
        "no address in the audit"
    );
}

#[tokio::test]
async fn ten_failures_close_a_name_there_for_a_quarter_of_an_hour_even_to_the_right_password() {
    let (ground, ada) = with_ada().await;
    for _ in 0..FAILURES_MAX {
        failed(try_in(&ground, &ada.email, "not this one, no").await);
        ground.clock.advance(TimeDelta::seconds(30));
    }
    let refused = failed(try_in(&ground, &ada.email, PASSWORD).await);
    assert_eq!(
        refused,
        failed(try_in(&ground, "bob@example.org", PASSWORD).await),
        "as for an unknown name"
    );
    assert_eq!(
        rows_of_audit(&ground, "staff.sign_in_failed").await,
        2 * (FAILURES_MAX + 1),
        "no row for a closed name"
    );
    assert!(
        try_from(&ground, "198.51.100.7", &ada.email, PASSWORD)
            .await
            .is_ok(),
        "the person works on elsewhere"
    );
    // The first failure was five minutes ago.
    ground.clock.advance(TimeDelta::minutes(10));
    assert!(try_in(&ground, &ada.email, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn failures_from_very_many_places_close_a_name_everywhere() {
    let (ground, ada) = with_ada().await;
    // The first one goes through the door, and tells how the others stand in the audit.
    failed(try_in(&ground, &ada.email, "not this one, no").await);
    let first = audit_event::Entity::find()
        .filter(audit_event::Column::Action.eq("staff.sign_in_failed"))
        .order_by_asc(audit_event::Column::Id)
        .one(&ground.h.db)
        .await
        .unwrap()
        .unwrap();
    for _ in 2..FAILURES_ANYWHERE_MAX {
        let mut other = first.clone().into_active_model();
        other.id = Set(new_id(ground.h.now()));
        other.insert(&ground.h.db).await.unwrap();
    }
    failed(try_from(&ground, "203.0.113.9", &ada.email, "nor this one").await);
    failed(try_from(&ground, "198.51.100.7", &ada.email, PASSWORD).await);
    ground.clock.advance(TimeDelta::minutes(FAILURES_WITHIN_MINS));
    assert!(try_in(&ground, &ada.email, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_session_ends_by_disuse_by_age_by_sign_out_and_with_the_job() {
    let (ground, ada) = with_ada().await;
    let open = async |secret: &str| session::open(&ground.h, secret).await.unwrap().is_some();
    let idle = try_in(&ground, &ada.email, PASSWORD).await.unwrap().secret;
    ground
        .clock
        .advance(TimeDelta::hours(session::IDLE_HOURS) - TimeDelta::seconds(1));
    assert!(open(&idle).await, "used in time, so it goes on");
    ground.clock.advance(TimeDelta::hours(session::IDLE_HOURS));
    assert!(!open(&idle).await);

    let old = try_in(&ground, &ada.email, PASSWORD).await.unwrap().secret;
    for _ in 0..(session::WHOLE_DAYS * 24 / 8 - 1) {
        ground.clock.advance(TimeDelta::hours(8));
        assert!(open(&old).await);
    }
    ground.clock.advance(TimeDelta::hours(8));
    assert!(!open(&old).await, "seven days are over");

    let out = try_in(&ground, &ada.email, PASSWORD).await.unwrap().secret;
    assert!(session::close(&ground.h, &out).await.unwrap().value);
    assert!(!open(&out).await);
    assert!(
        !session::close(&ground.h, &out).await.unwrap().value,
        "there is nothing left to end"
    );
    assert_eq!(rows_of_audit(&ground, "staff.sign_out").await, 1);

    let last = try_in(&ground, &ada.email, PASSWORD).await.unwrap().secret;
    assert_eq!(
        sessions::Entity::find().count(&ground.h.db).await.unwrap(),
        1,
        "ended sessions of hers are cleared"
    );
    let mut left = ada.into_active_model();
    left.active = Set(false);
    left.update(&ground.h.db).await.unwrap();
    assert!(!open(&last).await);
}

#[tokio::test]
async fn use_of_a_session_is_written_at_most_once_a_minute() {
    let (ground, ada) = with_ada().await;
    let start = ground.h.now();
    let secret = try_in(&ground, &ada.email, PASSWORD).await.unwrap().secret;
    let seen = async || -> DateTime<Utc> {
        session::open(&ground.h, &secret).await.unwrap();
        sessions::Entity::find()
            .one(&ground.h.db)
            .await
            .unwrap()
            .unwrap()
            .seen_at
    };
    ground.clock.advance(TimeDelta::seconds(59));
    assert_eq!(seen().await, start);
    ground.clock.advance(TimeDelta::seconds(1));
    assert_eq!(seen().await, start + TimeDelta::seconds(60));
}

#[tokio::test]
async fn a_csrf_token_belongs_to_one_session_and_one_installation() {
    let (ground, ada) = with_ada().await;
    let one = try_in(&ground, &ada.email, PASSWORD).await.unwrap().session.id;
    let other = try_in(&ground, &ada.email, PASSWORD).await.unwrap().session.id;
    let token = session::csrf_token(&ground.h.secrets, one);
    assert!(session::csrf_matches(&ground.h.secrets, one, &token));
    assert!(!session::csrf_matches(&ground.h.secrets, other, &token));
    assert!(!session::csrf_matches(
        &crate::link::Secrets::new([8; 32]),
        one,
        &token
    ));
    assert!(!session::csrf_matches(&ground.h.secrets, one, ""));
}

#[tokio::test]
async fn a_token_opens_until_it_ends_or_is_taken_back() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let h = &ground.h;
    let (row, secret) = token::create(h, Role::Analyst, " board  report ", Some(TimeDelta::days(1)))
        .await
        .unwrap();
    assert!(
        secret.starts_with(token::PREFIX) && secret.len() == 47,
        "{} characters",
        secret.len()
    );
    assert_eq!(row.name, "board report");
    let opened = token::open(h, &secret).await.unwrap().unwrap();
    assert_eq!(
        viewer_of_token(&opened),
        Viewer::Token {
            id: row.id,
            role: Role::Analyst
        }
    );
    assert!(
        token::open(h, &secret[4..]).await.unwrap().is_none(),
        "without its prefix it is no token"
    );
    ground.clock.advance(TimeDelta::days(1));
    assert!(token::open(h, &secret).await.unwrap().is_none(), "it has ended");

    let (lasting, secret) = token::create(h, Role::MarketingOps, "import", None)
        .await
        .unwrap();
    assert!(token::open(h, &secret).await.unwrap().is_some());
    let revoked = token::revoke(h, lasting.id).await.unwrap();
    assert!(token::open(h, &secret).await.unwrap().is_none());
    ground.clock.advance(TimeDelta::days(1));
    assert_eq!(
        token::revoke(h, lasting.id).await.unwrap().revoked_at,
        revoked.revoked_at,
        "the first time counts"
    );
    assert_eq!(rows_of_audit(&ground, "token.revoke").await, 1);
    let nobody = new_id(h.now());
    assert!(matches!(
        token::revoke(h, nobody).await,
        Err(Error::Missing { noun: "token" })
    ));
    assert_eq!(
        codes(token::create(h, Role::Admin, " ", None).await),
        [(Code::Invalid, "name".to_owned())]
    );
    let past = token::create(h, Role::Admin, "x", Some(TimeDelta::zero())).await;
    assert_eq!(codes(past), [(Code::Invalid, "expiresIn".to_owned())]);
}

#[tokio::test]
async fn a_new_person_is_seen_by_the_playbook_with_the_teams() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let (sleep, heart) = (
        ground.team("sleep", false).await,
        ground.team("heart", false).await,
    );
    ground.team("other", false).await;
    let before = ground.h.playbook().await.unwrap().revision;
    let input = AddStaff {
        teams: vec![heart, sleep, heart],
        ..ada()
    };
    let ada = add(&ground.h, input).await.unwrap().value;
    assert!(ground.h.playbook().await.unwrap().revision > before);
    assert_eq!(team_member::Entity::find().count(&ground.h.db).await.unwrap(), 2);
    let viewer = viewer_of(&ground.h, &ada).await.unwrap();
    assert_eq!(
        viewer,
        Viewer::Staff {
            id: ada.id,
            role: ada.role,
            teams: vec![sleep, heart]
        }
    );
    assert_eq!(find::by_id(&ground.h.db, &viewer, ada.id).await.unwrap(), ada);
    assert!(find::by_id(&ground.h.db, &Viewer::Public, ada.id).await.is_err());
}

#[tokio::test]
async fn a_person_is_refused_with_every_reason_and_an_address_is_taken_once() {
    let (ground, _) = with_ada().await;
    assert_eq!(
        codes(add(&ground.h, ada()).await),
        [(Code::AlreadyExists, "email".to_owned())]
    );
    let wrong = AddStaff {
        email: "ada".to_owned(),
        display_name: " ".to_owned(),
        time_zone: "Columbus".to_owned(),
        password: Some("short".to_owned()),
        teams: vec![new_id(ground.h.now())],
        ..ada()
    };
    let fields: Vec<String> = codes(add(&ground.h, wrong).await)
        .into_iter()
        .map(|(_, field)| field)
        .collect();
    assert_eq!(fields, ["email", "displayName", "timeZone", "password", "teams"]);
    assert_eq!(staff::Entity::find().count(&ground.h.db).await.unwrap(), 1);
}
