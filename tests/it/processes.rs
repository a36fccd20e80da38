//! The program itself, in processes of its own: embedded in one, and apart with PostgreSQL, Redis and SMTP.

use std::collections::HashSet;
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use domain::playbook::Playbooks;
use entity::message::{self, MessageState};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::database::{TestDatabase, postgres_server};
use crate::harness::process::{Installation, PATIENCE, Running, until};
use crate::harness::smtp_sink::{Keep, SmtpSink};
use crate::harness::{Clinic, look, plan_nurture};

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Windows for processes, which have the wall clock: whatever the hour of the run, nurture may go.
fn open_at_all_hours() -> String {
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let hours: Value = days
        .iter()
        .map(|day| ((*day).to_owned(), json!(["00:00-24:00"])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let windows = ["HOUSE", "US"].map(
        |name| json!({ "jurisdiction": name, "hours": hours, "source": "A story", "reviewedOn": "2026-11-01" }),
    );
    json!({ "sendWindows": windows }).to_string()
}

/// A client of one process.
struct Client {
    http: reqwest::Client,
    address: String,
    token: String,
}

impl Client {
    fn new(address: String, token: String) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { http, address, token }
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let request = self
            .http
            .post(format!("{}/graphql", self.address))
            .bearer_auth(&self.token)
            .json(&body);
        let answer: Value = request
            .send()
            .await
            .expect("it answers")
            .json()
            .await
            .expect("JSON");
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].clone()
    }

    /// Fills in the sleep form by JSON.
    async fn submit(&self, number: usize) -> u16 {
        let fields = json!({ "given_name": "Pat", "family_name": "Meyer", "email": format!("pat{number}@example.org") });
        let request = self
            .http
            .post(format!("{}/f/sleep-study", self.address))
            .json(&json!({ "fields": fields }));
        request.send().await.expect("it answers").status().as_u16()
    }
}

/// Writes to the program and answers what it says until it closes the connection.
async fn conversation(address: &str, sent: &str) -> String {
    let mut socket = TcpStream::connect(address.trim_start_matches("http://"))
        .await
        .unwrap();
    socket.write_all(sent.as_bytes()).await.unwrap();
    let mut heard = String::new();
    tokio::time::timeout(PATIENCE, socket.read_to_string(&mut heard))
        .await
        .expect("the program closes it")
        .unwrap();
    heard
}

#[tokio::test]
async fn a_request_with_a_head_that_nobody_needs_is_refused() {
    let embedded = Installation::new("heads");
    let serve = embedded.start("serve");
    let address = serve.address().await;
    let request = |bytes: usize| {
        let filler = "x".repeat(bytes);
        format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-filler: {filler}\r\nconnection: close\r\n\r\n")
    };
    let heard = conversation(&address, &request(8_000)).await;
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    let mut socket = TcpStream::connect(address.trim_start_matches("http://"))
        .await
        .unwrap();
    // The program does not read to the end, so it may close the connection before all of it is sent, or its answer read.
    let _ = socket.write_all(request(100_000).as_bytes()).await;
    let mut heard = Vec::new();
    let closed = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut heard)).await;
    assert!(closed.is_ok(), "the program closes it");
    let heard = String::from_utf8(heard).unwrap();
    assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 431"), "{heard}");
}

#[tokio::test]
async fn a_request_that_does_not_arrive_in_time_is_not_waited_for() {
    let embedded = Installation::new("slow").with("REQUEST_READ_SECS", "1");
    let serve = embedded.start("serve");
    let address = serve.address().await;
    for begun in ["", "POST /f/sleep-study HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        assert_eq!(conversation(&address, begun).await, "", "{begun}");
    }
    for kind in ["application/json", "application/x-www-form-urlencoded"] {
        let head = format!("HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: 50\r\n\r\n{{");
        for path in ["/graphql", "/u/x"] {
            let heard = conversation(&address, &format!("POST {path} {head}")).await;
            let wanted = match (path, kind) {
                ("/graphql", "application/x-www-form-urlencoded") => "HTTP/1.1 415",
                _ => "HTTP/1.1 408",
            };
            assert!(heard.starts_with(wanted), "{path} {kind}: {heard}");
        }
    }
    assert!(serve.stop().await, "SIGTERM ends it well");
}

#[tokio::test]
async fn the_embedded_program_does_everything_in_one_process() {
    let embedded = Installation::new("embedded");
    let setup = embedded.data_dir.join("clinic.json");
    std::fs::write(&setup, include_str!("harness/clinic.json")).unwrap();
    embedded.run(&["setup", setup.to_str().unwrap()]).await;
    let token = embedded
        .run(&["token", "create", "--role", "ADMIN", "--name", "story"])
        .await;
    assert!(
        token.starts_with("lwt_") && token.lines().count() == 1,
        "only the token is printed"
    );
    let serve = embedded.start("serve");
    let client = Client::new(serve.address().await, token);
    for path in ["healthz", "readyz"] {
        let answer = client
            .http
            .get(format!("{}/{path}", client.address))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    let page = client
        .http
        .get(format!("{}/f/sleep-study", client.address))
        .send()
        .await
        .unwrap();
    assert!(page.text().await.unwrap().contains("Ask for a sleep study"));
    assert_eq!(client.submit(1).await, 201);
    let query = "{ leads { nodes { team { slug } followUps { nodes { state dueAt } }
        messages { nodes { kind state content { subject text } } } } } }";
    let mail = until("the confirmation is captured", async || {
        let data = client.ask(query, json!({})).await;
        let messages = look(&data, "leads.nodes.0.messages.nodes");
        messages
            .as_array()?
            .iter()
            .find(|row| row["kind"] == "CONFIRMATION" && row["state"] == "ACCEPTED")
            .cloned()
    })
    .await;
    assert_eq!(mail["content"]["subject"], "We have received your request");
    let outbox = client
        .http
        .get(format!("{}/outbox", client.address))
        .bearer_auth(&client.token)
        .send()
        .await
        .unwrap();
    assert_eq!(outbox.status(), 200);
    assert!(
        outbox
            .text()
            .await
            .unwrap()
            .contains("We have received your request")
    );
    let analyst = embedded
        .run(&["token", "create", "--role", "ANALYST", "--name", "figures"])
        .await;
    let url = format!("{}/outbox", client.address);
    assert_eq!(client.http.get(&url).send().await.unwrap().status(), 200);
    for shown in [analyst.as_str(), "lwt_unknown"] {
        let answer = client.http.get(&url).bearer_auth(shown).send().await.unwrap();
        assert_eq!(answer.status(), 404, "who says who it is, is judged by that");
    }
    assert_eq!(client.submit(1).await, 200, "once more is no second lead");
    let data = client
        .ask(
            "{ leads { totalCount nodes { followUps { nodes { state } } } } }",
            json!({}),
        )
        .await;
    assert_eq!(data["leads"]["totalCount"], 1);
    assert_eq!(look(&data, "leads.nodes.0.followUps.nodes.0.state"), "OPEN");
    let metrics = client
        .http
        .get(format!("{}/metrics", client.address))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(metrics.contains("leadward_"), "{metrics}");
    let data = client
        .ask("{ leads { nodes { contact { id } } } }", json!({}))
        .await;
    let input = json!({ "contactId": look(&data, "leads.nodes.0.contact.id"), "medium": "PHONE",
        "purpose": "REMINDER", "granted": true, "address": "+18605550123", "evidence": "Said so on the phone." });
    let mutation =
        "mutation($input: RecordConsentInput!) { recordConsent(input: $input) { userErrors { message } } }";
    let data = client.ask(mutation, json!({ "input": input })).await;
    assert_eq!(look(&data, "recordConsent.userErrors"), json!([]));
    let verified = until("the consent ledger is sealed", async || {
        let said = embedded.run(&["verify", "consent"]).await;
        said.starts_with("1 events are sealed and whole").then_some(said)
    })
    .await;
    let head = verified.lines().find_map(|line| line.strip_prefix("head "));
    let head = head.expect("a head to be noted down");
    embedded.run(&["verify", "consent", "--from", head]).await;
    let other = format!(
        "{}{}",
        &head[..head.len() - 1],
        if head.ends_with('0') { '1' } else { '0' }
    );
    let said = embedded.fail(&["verify", "consent", "--from", &other]).await;
    assert!(said.contains("BROKEN: place 1"), "{said}");
    for head in ["1", "1:00", &other.replace("1:", "0:")] {
        assert!(
            embedded
                .fail(&["verify", "consent", "--from", head])
                .await
                .contains("COUNT:HASH")
        );
    }
    let said = serve.lines().join("\n");
    assert!(
        !said.contains("pat1@example.org") && !said.contains("Meyer"),
        "no personal data in the log: {said}"
    );
    assert!(serve.stop().await, "SIGTERM ends it well");
}

#[tokio::test]
async fn what_a_person_asks_about_is_in_no_log_line_and_no_metric_however_much_is_logged() {
    let embedded = Installation::new("canary").with("LOG_LEVEL", "debug");
    let setup = embedded.data_dir.join("clinic.json");
    std::fs::write(&setup, include_str!("harness/clinic.json")).unwrap();
    embedded.run(&["setup", setup.to_str().unwrap()]).await;
    let token = embedded
        .run(&["token", "create", "--role", "ADMIN", "--name", "story"])
        .await;
    let serve = embedded.start("serve");
    let client = Client::new(serve.address().await, token);
    let fields = json!({ "given_name": "Pat", "email": "pat@example.org", "service": "zarquonectomy",
        "message": "I was told that I have zarquonosis." });
    for field in ["message", "nonsense"] {
        let mut fields = fields.clone();
        fields[field] = json!("I was told that I have zarquonosis.");
        let posted = client
            .http
            .post(format!("{}/f/question", client.address))
            .json(&json!({ "fields": fields }));
        posted.send().await.expect("it answers");
    }
    let query =
        "{ leads { nodes { requestedService answers { value } messages { nodes { subject state } } } } }";
    let lead = until("the answer is captured", async || {
        let data = client.ask(query, json!({})).await;
        let lead = look(&data, "leads.nodes.0");
        (look(&lead, "messages.nodes.0.state") == "ACCEPTED").then_some(lead)
    })
    .await;
    assert!(lead.to_string().contains("zarquonectomy") && lead.to_string().contains("zarquonosis"));
    assert!(!lead["messages"].to_string().contains("zarquon"), "{lead}");
    let metrics = client
        .http
        .get(format!("{}/metrics", client.address))
        .send()
        .await;
    let metrics = metrics.unwrap().text().await.unwrap();
    assert!(
        metrics.contains("leadward_") && !metrics.contains("zarquon"),
        "{metrics}"
    );
    let lines = serve.lines();
    assert!(
        lines.iter().any(|line| line.contains("DEBUG")),
        "much is logged: {lines:#?}"
    );
    let telling: Vec<_> = lines
        .iter()
        .filter(|line| {
            ["zarquon", "pat@example", "Pat"]
                .iter()
                .any(|word| line.contains(word))
        })
        .collect();
    assert!(telling.is_empty(), "{telling:#?}");
    assert!(serve.stop().await);
}

#[tokio::test]
async fn a_process_of_its_own_refuses_to_lose_mail() {
    let embedded = Installation::new("lossy");
    for command in ["api", "worker"] {
        assert!(embedded.fail(&[command]).await.contains("SMTP_URL"), "{command}");
    }
}

#[tokio::test]
async fn check_names_every_unsafe_setting_and_ends_with_one() {
    let embedded = Installation::new("checked");
    let said = embedded.fail(&["check"]).await;
    for setting in [
        "DATABASE_URL",
        "REDIS_URL",
        "SMTP_URL",
        "PUBLIC_URL",
        "SECRET_KEY",
        "MAIL_FROM",
        "POSTAL_ADDRESS",
    ] {
        assert!(said.contains(setting), "{setting} in {said}");
    }
}

#[tokio::test]
async fn the_schema_command_prints_what_is_committed() {
    let embedded = Installation::new("schema");
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert!(
        embedded.run(&["schema"]).await.trim_end() == committed.trim_end(),
        "run `leadward schema > schema.graphql`"
    );
}

/// An installation on real servers, which only a run against PostgreSQL has.
struct Apart {
    installation: Installation,
    sink: SmtpSink,
    redis: redis::Client,
    db: DatabaseConnection,
    token: String,
    _database: TestDatabase,
}

impl Apart {
    async fn new(name: &str, redis_db: u8) -> Option<Self> {
        let embedded_only = std::env::var_os("TEST_EMBEDDED_ONLY").is_some();
        if postgres_server().is_none() || embedded_only {
            eprintln!("skipped: it needs TEST_DATABASE_URL and TEST_REDIS_URL");
            return None;
        }
        let redis = std::env::var("TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
        let mut redis = url::Url::parse(&redis).expect("TEST_REDIS_URL is a URL");
        redis.set_path(&redis_db.to_string());
        let redis = redis.to_string();
        let database = Clinic::furnished_database().await;
        let sink = SmtpSink::start_with(Keep::MessageIds, None).await;
        let installation = Installation::new(name)
            .with("DATABASE_URL", &database.url)
            .with("REDIS_URL", &redis)
            .with(
                "QUEUE_PREFIX",
                format!("leadward-test-{}-{name}", std::process::id()),
            )
            .with("SMTP_URL", sink.url())
            .with("SECRET_KEY", KEY)
            .with("DATABASE_POOL_MAX", "8")
            .with("FORM_POSTS_PER_MINUTE", "10000")
            .with("SEND_LEASE_SECS", "5")
            .with("LEASE_SECS", "5");
        let windows = installation.data_dir.join("windows.json");
        std::fs::write(&windows, open_at_all_hours()).expect("the data directory can be written");
        installation
            .run(&["setup", windows.to_str().expect("a path of ASCII")])
            .await;
        let token = installation
            .run(&["token", "create", "--role", "ADMIN", "--name", "story"])
            .await;
        let db = database.connect().await;
        let redis = redis::Client::open(redis).expect("TEST_REDIS_URL is a URL");
        Some(Self {
            installation,
            sink,
            redis,
            db,
            token,
            _database: database,
        })
    }

    async fn client(&self, process: &Running) -> Client {
        Client::new(process.address().await, self.token.clone())
    }

    async fn in_states(&self, states: &[MessageState]) -> u64 {
        let found = message::Entity::find().filter(message::Column::State.is_in(states.iter().copied()));
        found.count(&self.db).await.unwrap()
    }

    /// Plans mails that are due now, by the clock that the processes have, to people who may be written to now.
    async fn plan_nurture(&self, count: usize) {
        let playbook = Playbooks::new(Duration::ZERO)
            .current(&self.db)
            .await
            .expect("there are rules");
        plan_nurture(&self.db, &playbook, SystemClock.now(), count).await;
    }

    /// Waits until every message has come to an end.
    async fn settled(&self) {
        let states = [
            MessageState::Planned,
            MessageState::Deferred,
            MessageState::Claimed,
            MessageState::HandedOff,
        ];
        until("every message is settled", async || {
            (self.in_states(&states).await == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn api_and_worker_apart_deliver_and_a_killed_worker_doubles_and_loses_nothing() {
    let Some(apart) = Apart::new("killed", 7).await else {
        return;
    };
    let api = apart.installation.start("api");
    let client = apart.client(&api).await;
    let worker = apart.installation.start("worker");
    worker.says("Working.").await;
    assert_eq!(client.submit(1).await, 201);
    // The confirmation and the notice to the coordinator.
    apart.sink.wait_for(2).await;
    apart.plan_nurture(300).await;
    apart.sink.wait_for(50).await;
    worker.kill().await;
    let again = apart.installation.start("worker");
    again.says("Working.").await;
    apart.settled().await;
    let ids = apart.sink.message_ids();
    assert_eq!(
        ids.iter().collect::<HashSet<_>>().len(),
        ids.len(),
        "no Message-ID came twice"
    );
    let accepted = apart.in_states(&[MessageState::Accepted]).await;
    let unknown = apart.in_states(&[MessageState::Unknown]).await;
    assert_eq!(accepted + unknown, 302);
    assert!(
        unknown <= 128,
        "at most what one worker had on the wire: {unknown}"
    );
    assert!(
        ids.len() as u64 >= accepted && ids.len() as u64 <= accepted + unknown,
        "{} came",
        ids.len()
    );
    assert!(again.stop().await && api.stop().await);
}

#[tokio::test]
async fn a_redis_that_forgets_everything_loses_nothing() {
    let Some(apart) = Apart::new("flushed", 8).await else {
        return;
    };
    let api = apart.installation.start("api");
    let client = apart.client(&api).await;
    let worker = apart.installation.start("worker");
    worker.says("Working.").await;
    apart.plan_nurture(200).await;
    let mut redis = apart
        .redis
        .get_multiplexed_async_connection()
        .await
        .expect("Redis answers");
    for number in 0..20 {
        assert_eq!(client.submit(number).await, 201);
        if number % 5 == 0 {
            let _: () = redis::cmd("FLUSHDB")
                .query_async(&mut redis)
                .await
                .expect("it can be flushed");
        }
    }
    let _: () = redis::cmd("FLUSHDB")
        .query_async(&mut redis)
        .await
        .expect("it can be flushed");
    apart.settled().await;
    assert_eq!(apart.in_states(&[MessageState::Accepted]).await, 200 + 40);
    assert_eq!(apart.sink.message_ids().iter().collect::<HashSet<_>>().len(), 240);
    assert!(worker.stop().await && api.stop().await);
}

#[tokio::test]
async fn a_lead_that_one_process_receives_is_told_by_another() {
    let Some(apart) = Apart::new("signals", 9).await else {
        return;
    };
    let (one, two) = (apart.installation.start("api"), apart.installation.start("api"));
    let (listening, receiving) = (apart.client(&one).await, apart.client(&two).await);
    let body = json!({ "query": "subscription { leadReceived { contact { givenName } } }" });
    let request = listening
        .http
        .post(format!("{}/graphql", listening.address))
        .bearer_auth(&listening.token);
    let mut stream = request
        .header("accept", "text/event-stream")
        .json(&body)
        .send()
        .await
        .expect("it answers");
    let event = async {
        let mut number = 0;
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        loop {
            tokio::select! {
                event = stream.chunk() => {
                    let event = event.expect("it arrives").expect("the stream goes on");
                    let text = String::from_utf8_lossy(&event).into_owned();
                    if text.contains("leadReceived") {
                        return text;
                    }
                }
                // The other process may not have subscribed to Redis yet.
                _ = tick.tick() => {
                    number += 1;
                    assert_eq!(receiving.submit(number).await, 201);
                }
            }
        }
    };
    let text = tokio::time::timeout(PATIENCE, event)
        .await
        .expect("the news come");
    assert!(text.contains("Pat"), "{text}");
    assert!(one.stop().await && two.stop().await);
}
