//! Inquiries becoming leads: everything that `receive` does, from the text of a form to the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::hospital::Hospital;
use domain::lead::inquiry::{ConsentAnswer, Draft};
use domain::lead::receive::receive;
use domain::viewer::Actor;
use entity::consent_event::ConsentMethod;
use entity::form;
use entity::lead::Answer;
use sea_orm::Statement;

use crate::ground::Ground;
use crate::load::{CLIENTS, Client, load};
use crate::report::{Report, per_sec};
use crate::{Result, pgbench, say};

/// A form with three consents, a confirmation, a sequence that begins, and a team with several members.
const FORM: &str = "sleep-study";

/// Measures it.
pub async fn measure(ground: &Ground, report: &mut Report) -> Result<()> {
    say("Receiving inquiries.");
    let numbers = Arc::new(AtomicU64::new(0));
    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        clients.push(Visitor::new(ground.hospital.clone(), numbers.clone()).await?);
    }
    let received = load(clients, || Ok(())).await?;
    let (since, one, other) = statements(ground, numbers).await?;
    let plain = pgbench::run(ground, "intake", &pgbench::writing(since, &one, &other)?).await?;

    report.section(&format!(
        "Intake: inquiries with consent, sequence and confirmation; {CLIENTS} clients"
    ));
    report.line(
        "  received, in one process",
        per_sec(received.per_sec),
        format!("{received}; goal 1,200 /s"),
    );
    let of = format!("{} statements between BEGIN and COMMIT", one.len());
    report.line("  its SQL by pgbench", per_sec(plain), of);
    report.line("  ratio", format!("{:.2}", received.per_sec / plain), "");
    Ok(())
}

/// Somebody new each time who fills in the form.
struct Visitor {
    hospital: Hospital,
    form: form::Model,
    consents: Vec<ConsentAnswer>,
    numbers: Arc<AtomicU64>,
}

impl Visitor {
    async fn new(hospital: Hospital, numbers: Arc<AtomicU64>) -> Result<Self> {
        let playbook = hospital.playbook().await?;
        let form = playbook
            .form_by_slug
            .get(FORM)
            .and_then(|id| playbook.forms.get(id));
        let form = form.cloned().ok_or("the demo hospital has no such form")?;
        let shown = form
            .wordings
            .0
            .iter()
            .filter_map(|key| playbook.wording(key, &form.language));
        let consents = shown
            .map(|wording| ConsentAnswer {
                wording_id: wording.id,
                granted: true,
            })
            .collect();
        Ok(Self {
            hospital,
            form,
            consents,
            numbers,
        })
    }

    fn fill_in(&self) -> Draft {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        Draft {
            form_id: Some(self.form.id),
            given_name: "Robin".to_owned(),
            family_name: "Example".to_owned(),
            email: format!("visitor{number}@example.org"),
            phone: format!("+1513{}", 2_220_000 + number),
            postal_code: "45202".to_owned(),
            answers: vec![Answer {
                field: "timing".to_owned(),
                label: "When would you like to come?".to_owned(),
                value: "this_week".to_owned(),
            }],
            consents: self.consents.clone(),
            consent_method: Some(ConsentMethod::WebForm),
            ..Draft::default()
        }
    }
}

impl Client for Visitor {
    async fn ask(&mut self) -> Result<()> {
        let playbook = self.hospital.playbook().await?;
        let inquiry = self.fill_in().parse(&playbook)?;
        let done = receive(&self.hospital, Actor::VISITOR, inquiry).await?;
        if done.value.created {
            Ok(())
        } else {
            Err("an inquiry was taken for a repeated one".into())
        }
    }
}

type Run = Vec<Statement>;

/// The statements of two inquiries, and a moment before both.
async fn statements(
    ground: &Ground,
    numbers: Arc<AtomicU64>,
) -> Result<(chrono::DateTime<chrono::Utc>, Run, Run)> {
    let (hospital, watch) = ground.watched().await?;
    let since = hospital.now();
    let mut visitor = Visitor::new(hospital, numbers).await?;
    // The first one may read the playbook.
    visitor.ask().await?;
    let mut runs = Vec::new();
    for _ in 0..2 {
        watch.take();
        visitor.ask().await?;
        runs.push(watch.take().into_iter().map(|ran| ran.statement).collect::<Run>());
    }
    match <[Run; 2]>::try_from(runs) {
        Ok([one, other]) => Ok((since, one, other)),
        Err(_) => Err("two runs were made".into()),
    }
}
