//! The dashboard's figures against what the story did, counted by hand.

use serde_json::{Value, json};

use crate::harness::{As, Clinic, OPS, at};

/// What the story does with one lead.
#[derive(Clone, Copy, Debug, Default)]
struct Deed {
    path: &'static str,
    line: Option<&'static str>,
    channel: &'static str,
    campaign: Option<&'static str>,
    /// Minutes until the first attempt, with its outcome.
    attempt: Option<(i64, &'static str)>,
    qualified: bool,
    completed: bool,
    closed: Option<&'static str>,
}

const SLEEP: Deed = Deed {
    path: "sleep-study",
    line: Some("Sleep medicine"),
    channel: "WEBSITE",
    campaign: None,
    attempt: None,
    qualified: false,
    completed: false,
    closed: None,
};
const AD: Deed = Deed {
    path: "sleep-study?code=SLP-AD-1",
    channel: "PAID_SEARCH",
    campaign: Some("Sleep in spring"),
    ..SLEEP
};
const HEART: Deed = Deed {
    path: "heart",
    line: Some("Cardiology"),
    ..SLEEP
};

const DEEDS: [Deed; 8] = [
    Deed {
        attempt: Some((10, "REACHED")),
        qualified: true,
        completed: true,
        ..AD
    },
    Deed {
        attempt: Some((70, "VOICEMAIL")),
        ..AD
    },
    SLEEP,
    Deed {
        attempt: Some((5, "REACHED")),
        qualified: true,
        ..HEART
    },
    Deed {
        path: "heart?code=HRT-DAY",
        channel: "EVENT",
        campaign: Some("Heart month"),
        attempt: Some((20, "NO_ANSWER")),
        closed: Some("UNREACHABLE"),
        ..HEART
    },
    Deed {
        closed: Some("SPAM"),
        ..SLEEP
    },
    Deed {
        closed: Some("DUPLICATE"),
        ..SLEEP
    },
    Deed {
        path: "question",
        line: None,
        ..SLEEP
    },
];

async fn fill_in(clinic: &Clinic, path: &str, number: usize) -> String {
    let (email, phone) = (
        format!("person{number}@example.org"),
        format!("(860) 555-01{number:02}"),
    );
    let mut fields = vec![
        ("given_name", "Robin"),
        ("family_name", "Case"),
        ("email", email.as_str()),
    ];
    match path.split('?').next() {
        Some("question") => fields.push(("service", "acupuncture")),
        _ => fields.push(("phone", &phone)),
    }
    assert_eq!(clinic.submit_form(path, &fields).await.status, 303);
    clinic.last_lead().await.id.to_string()
}

/// Does everything, at ten in the morning and in the seventy minutes after it.
async fn play(clinic: &Clinic) {
    let mut leads = Vec::new();
    for (number, deed) in DEEDS.iter().enumerate() {
        leads.push((fill_in(clinic, deed.path, number).await, *deed));
    }
    let start = clinic.now();
    let mut attempts: Vec<_> = leads
        .iter()
        .filter_map(|(id, deed)| Some((deed.attempt?, id, deed)))
        .collect();
    attempts.sort_by_key(|((after, _), ..)| *after);
    for ((after, outcome), id, deed) in attempts {
        clinic.live_until(start + chrono::TimeDelta::minutes(after)).await;
        clinic
            .change(
                OPS,
                "logAttempt",
                json!({ "leadId": id, "medium": "PHONE", "outcome": outcome }),
            )
            .await;
        if deed.qualified {
            clinic.change(OPS, "qualifyLead", json!({ "leadId": id })).await;
        }
        if deed.completed {
            clinic
                .change(
                    OPS,
                    "scheduleAppointment",
                    json!({ "leadId": id, "startsAt": "2026-03-03T15:30:00Z" }),
                )
                .await;
        }
    }
    for (id, deed) in &leads {
        if deed.completed {
            clinic.change(OPS, "completeVisit", json!({ "leadId": id })).await;
        }
        if let Some(disposition) = deed.closed {
            clinic
                .change(
                    OPS,
                    "closeLead",
                    json!({ "leadId": id, "disposition": disposition }),
                )
                .await;
        }
    }
    clinic.drain().await;
}

/// Leads, attempted, reached, qualified, scheduled, completed, closed.
type Funnel = [i64; 7];

fn funnel(deeds: impl Iterator<Item = Deed>) -> Funnel {
    let mut sum = [0; 7];
    for deed in deeds {
        let reached = matches!(deed.attempt, Some((_, "REACHED")));
        let steps = [
            true,
            deed.attempt.is_some(),
            reached,
            deed.qualified,
            deed.completed,
            deed.completed,
            deed.closed.is_some(),
        ];
        for (place, came) in steps.into_iter().enumerate() {
            sum[place] += i64::from(came);
        }
    }
    sum
}

fn told(totals: &Value) -> Funnel {
    [
        "leads",
        "attempted",
        "reached",
        "qualified",
        "scheduled",
        "completed",
        "closed",
    ]
    .map(|name| totals[name].as_i64().unwrap())
}

/// Leads that count: neither spam nor duplicates.
fn counted() -> impl Iterator<Item = Deed> {
    DEEDS
        .into_iter()
        .filter(|deed| !matches!(deed.closed, Some("SPAM" | "DUPLICATE")))
}

const QUERY: &str = "query($f: DashboardFilter!) { dashboard(filter: $f) {
    totals { ...F contactRate spend { minor } }
    byServiceLine { serviceLine { name } totals { ...F } }
    byChannel { channel totals { ...F } }
    byCampaign { campaign { name } totals { ...F spend { minor currency } costPerLead { minor } costPerCompleted { minor } } }
    byServiceLineAndChannel { serviceLine { name } channel totals { ...F } }
    outcomes { outcome count }
    timeToFirstContact { median p90 businessMedian businessP90 histogram { from to count } }
    sla { met missed lateNow }
    series(grain: DAY) { startsAt totals { ...F } }
    previous { totals { ...F } }
} }
fragment F on FunnelTotals { leads attempted reached qualified scheduled completed closed }";

/// Tuesday in the east.
fn tuesday() -> Value {
    json!({ "from": "2026-03-03T05:00:00Z", "to": "2026-03-04T05:00:00Z" })
}

async fn played() -> Clinic {
    let clinic = Clinic::new().await;
    clinic.clock.set(at("2026-03-02T15:00:00Z"));
    fill_in(&clinic, "sleep-study", 99).await;
    clinic.live_until(at("2026-03-03T15:00:00Z")).await;
    play(&clinic).await;
    clinic
}

#[tokio::test]
async fn the_figures_are_what_the_story_did() {
    let clinic = played().await;
    let campaign = clinic.id_of("campaign", "sleep-spring").await;
    let spent = json!({ "campaignId": campaign, "day": "2026-03-03", "amountMinor": 10_000 });
    clinic.change(OPS, "recordSpend", spent).await;
    let board = clinic
        .graphql(OPS, QUERY, json!({ "f": tuesday() }))
        .await
        .data("dashboard");

    let all = funnel(counted());
    assert_eq!(told(&board["totals"]), all);
    assert_eq!(
        board["totals"]["contactRate"].as_f64().unwrap(),
        all[2] as f64 / all[0] as f64
    );
    assert_eq!(told(&board["previous"]["totals"])[0], 1, "the lead of Monday");
    assert_eq!(
        board["series"]
            .as_array()
            .unwrap()
            .iter()
            .map(|point| told(&point["totals"])[0])
            .sum::<i64>(),
        all[0]
    );

    let rows = |list: &str, name: &dyn Fn(&Value) -> Value| {
        let rows = board[list].as_array().unwrap().iter();
        let mut rows: Vec<_> = rows
            .map(|row| (name(row).to_string(), told(&row["totals"])))
            .filter(|(_, f)| f[0] > 0)
            .collect();
        rows.sort();
        rows
    };
    let by = |key: &dyn Fn(&Deed) -> Value| {
        let text_of = |deed: &Deed| key(deed).to_string();
        let mut keys: Vec<String> = counted().map(|deed| text_of(&deed)).collect();
        keys.sort();
        keys.dedup();
        let row = |text: String| {
            (
                text.clone(),
                funnel(counted().filter(|deed| text_of(deed) == text)),
            )
        };
        keys.into_iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(
        rows("byServiceLine", &|row| row["serviceLine"]["name"].clone()),
        by(&|deed| json!(deed.line))
    );
    assert_eq!(
        rows("byChannel", &|row| row["channel"].clone()),
        by(&|deed| json!(deed.channel))
    );
    assert_eq!(
        rows("byCampaign", &|row| row["campaign"]["name"].clone()),
        by(&|deed| json!(deed.campaign))
    );
    assert_eq!(
        rows("byServiceLineAndChannel", &|row| json!([
            row["serviceLine"]["name"],
            row["channel"]
        ])),
        by(&|deed| json!([deed.line, deed.channel]))
    );

    let outcomes = board["outcomes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["count"] != 0);
    let mut outcomes: Vec<_> = outcomes
        .map(|row| (row["outcome"].as_str().unwrap(), row["count"].as_i64().unwrap()))
        .collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [("NO_ANSWER", 1), ("REACHED", 2), ("VOICEMAIL", 1)]);

    // 5, 10, 20 and 70 minutes, all of them in opening hours.
    let time = &board["timeToFirstContact"];
    assert_eq!((&time["median"], &time["p90"]), (&json!(600), &json!(4200)));
    assert_eq!(
        (&time["businessMedian"], &time["businessP90"]),
        (&json!(600), &json!(4200))
    );
    let bars = time["histogram"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bar| bar["count"].as_i64().unwrap())
        .sum::<i64>();
    assert_eq!(bars, all[1], "every attempted lead is in one bar");
    assert_eq!(board["sla"], json!({ "met": 3, "missed": 2, "lateNow": 1 }));

    let ad = board["byCampaign"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["campaign"]["name"] == "Sleep in spring")
        .unwrap();
    assert_eq!(
        ad["totals"]["spend"],
        json!({ "minor": 10_000, "currency": "USD" })
    );
    assert_eq!(
        (
            &ad["totals"]["costPerLead"]["minor"],
            &ad["totals"]["costPerCompleted"]["minor"]
        ),
        (&json!(5000), &json!(10_000))
    );
}

#[tokio::test]
async fn every_filter_leaves_what_it_names() {
    let clinic = played().await;
    let leads = async |filter: Value| {
        let mut all = tuesday();
        for (name, value) in filter.as_object().unwrap() {
            all[name] = value.clone();
        }
        let query = "query($f: DashboardFilter!) { dashboard(filter: $f) { totals { leads } } }";
        clinic
            .graphql(OPS, query, json!({ "f": all }))
            .await
            .data("dashboard.totals.leads")
            .as_i64()
            .unwrap()
    };
    let count = |wanted: &dyn Fn(&Deed) -> bool| counted().filter(wanted).count() as i64;
    let sleep = clinic.id_of("serviceLine", "sleep").await;
    let campaign = clinic.id_of("campaign", "heart-month").await;
    let lakeside = clinic.id_of("facility", "lakeside").await;
    assert_eq!(
        leads(json!({ "serviceLineIds": [sleep] })).await,
        count(&|deed| deed.line == Some("Sleep medicine"))
    );
    assert_eq!(
        leads(json!({ "channels": ["PAID_SEARCH", "EVENT"] })).await,
        count(&|deed| deed.channel != "WEBSITE")
    );
    assert_eq!(
        leads(json!({ "campaignIds": [campaign] })).await,
        count(&|deed| deed.campaign == Some("Heart month"))
    );
    assert_eq!(
        leads(json!({ "facilityIds": [lakeside] })).await,
        count(&|deed| deed.line == Some("Cardiology"))
    );
    assert_eq!(
        leads(json!({ "leadTypes": ["SERVICE_INQUIRY"] })).await,
        count(&|deed| deed.path == "question")
    );
    assert_eq!(
        leads(json!({ "from": "2026-03-03T15:00:01Z" })).await,
        0,
        "the end and the start are instants"
    );
    assert_eq!(
        leads(json!({ "from": "2026-03-02T05:00:00Z" })).await,
        count(&|_| true) + 1
    );
}

#[tokio::test]
async fn a_period_that_cannot_be_is_refused_and_named() {
    let clinic = Clinic::new().await;
    let query = "query($f: DashboardFilter!) { dashboard(filter: $f) { totals { leads } } }";
    let wrong = json!({ "from": "2026-03-04T05:00:00Z", "to": "2026-03-03T05:00:00Z" });
    let answer = clinic
        .graphql(
            As::Role(entity::enums::Role::Analyst),
            query,
            json!({ "f": wrong }),
        )
        .await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    assert!(answer.body.contains("filter."), "{}", answer.body);
}
