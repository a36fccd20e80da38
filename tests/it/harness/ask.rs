//! Asking at the doors, as somebody.

use chrono::TimeDelta;
use entity::enums::Role;
use poem::http::{HeaderMap, StatusCode};
use poem::test::TestRequestBuilder;
use poem::{Endpoint, Response};
use serde_json::{Value, json};

use super::Clinic;
use super::clinic::{Known, lock};

/// The password of everybody in `clinic.json`.
pub const PASSWORD: &str = "correct horse battery";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As<'a> {
    /// Somebody who shows nothing.
    Nobody,
    /// A program with a token of this role.
    Role(Role),
    /// A signed-in member of staff, by the part of the address before the `@`.
    Staff(&'a str),
    /// Whoever has this token.
    Token(&'a str),
}

/// The desk: the role that most stories are told by.
pub const OPS: As<'static> = As::Role(Role::MarketingOps);

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Reads a response to its end.
    pub async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.into_vec().await.expect("a body can be read");
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Sends a request.
    pub async fn to<E: Endpoint>(request: TestRequestBuilder<'_, E>) -> Self {
        Self::of(request.send().await.0).await
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.body))
    }

    /// What stands at a path of the GraphQL data, such as `lead.contact.email`. Fails the test on an error.
    #[track_caller]
    pub fn data(&self, path: &str) -> Value {
        let json = self.json();
        assert!(json.get("errors").is_none(), "{json:#}");
        look(&json["data"], path)
    }

    /// The code of the first GraphQL error.
    #[track_caller]
    pub fn code(&self) -> String {
        let json = self.json();
        let code = &json["errors"][0]["extensions"]["code"];
        code.as_str()
            .unwrap_or_else(|| panic!("no error has a code in {json:#}"))
            .to_owned()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What stands at a path; a number is a place in a list.
pub fn look(json: &Value, path: &str) -> Value {
    let parts = path.split('.').filter(|part| !part.is_empty());
    let found = parts.fold(json, |json, part| {
        part.parse::<usize>()
            .map_or_else(|_| &json[part], |place| &json[place])
    });
    found.clone()
}

impl Clinic {
    /// Asks by GraphQL.
    pub async fn graphql(&self, who: As<'_>, query: &str, variables: Value) -> Answer {
        self.graphql_with(who, query, variables, &[]).await
    }

    /// Asks by GraphQL with further headers.
    pub async fn graphql_with(
        &self,
        who: As<'_>,
        query: &str,
        variables: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self
            .proved(who, self.client.post("/graphql"))
            .await
            .body_json(&body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::to(request).await
    }

    /// A mutation with one input that must succeed without a user error. Answers its payload.
    #[track_caller]
    pub fn change<'a>(
        &'a self,
        who: As<'a>,
        field: &'a str,
        input: Value,
    ) -> impl Future<Output = Value> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let payload = self.try_change(who, field, input).await;
            assert_eq!(
                payload["userErrors"],
                json!([]),
                "{field} at {caller} answers {payload:#}"
            );
            payload
        }
    }

    /// A mutation with one input that is allowed but may be refused as data. Answers its payload.
    pub async fn try_change(&self, who: As<'_>, field: &str, input: Value) -> Value {
        let selection = selection_of(field);
        let mut letters = field.chars();
        let first = letters.next().expect("a field has a name").to_uppercase();
        let kind = format!("{first}{}Input", letters.as_str());
        let query = format!(
            "mutation($input: {kind}!) {{ {field}(input: $input) {{ {selection} userErrors {{ field message code }} }} }}"
        );
        self.graphql(who, &query, json!({ "input": input }))
            .await
            .data(field)
    }

    /// A token of this role. The same one however often it is asked for.
    pub async fn token(&self, role: Role) -> String {
        let name = role.as_str().to_owned();
        if let Some(Known::Token(secret)) = lock(&self.known).get(&name) {
            return secret.clone();
        }
        let made = domain::staff::token::create(&self.hospital, role, &name, None).await;
        let (_, secret) = made.expect("a token can be made");
        lock(&self.known).insert(name, Known::Token(secret.clone()));
        secret
    }

    /// Signs a member of staff in, once in a working day. Answers the cookie and the CSRF token.
    pub async fn sign_in(&self, name: &str) -> (String, String) {
        if let Some(Known::Session { cookie, csrf, since }) = lock(&self.known).get(name).cloned()
            && self.now() < since + TimeDelta::hours(8)
        {
            return (cookie, csrf);
        }
        let query = "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { message } } }";
        let input = json!({ "email": format!("{name}@clinic.example"), "password": PASSWORD });
        let body = json!({ "query": query, "variables": { "input": input } });
        let answer = Answer::to(self.client.post("/graphql").body_json(&body)).await;
        assert_eq!(answer.data("signIn.userErrors"), json!([]));
        let cookie = session_cookie(&answer).expect("signing in sets a cookie");
        let request = self
            .client
            .post("/graphql")
            .header("cookie", format!("leadward_session={cookie}"));
        let answer = Answer::to(request.body_json(&json!({ "query": "{ viewer { csrfToken } }" }))).await;
        let csrf = answer
            .data("viewer.csrfToken")
            .as_str()
            .expect("a session has a CSRF token")
            .to_owned();
        let session = Known::Session {
            cookie: cookie.clone(),
            csrf: csrf.clone(),
            since: self.now(),
        };
        lock(&self.known).insert(name.to_owned(), session);
        (cookie, csrf)
    }

    /// The request with the proof of who asks.
    pub async fn proved<'a, E: Endpoint>(
        &self,
        who: As<'_>,
        request: TestRequestBuilder<'a, E>,
    ) -> TestRequestBuilder<'a, E> {
        match who {
            As::Nobody => request,
            As::Role(role) => request.header("authorization", format!("Bearer {}", self.token(role).await)),
            As::Token(secret) => request.header("authorization", format!("Bearer {secret}")),
            As::Staff(name) => {
                let (cookie, csrf) = self.sign_in(name).await;
                request
                    .header("cookie", format!("leadward_session={cookie}"))
                    .header("x-csrf-token", csrf)
            }
        }
    }

    /// The id of what has this slug, code or name: `serviceLines`, `facilities`, `teams`, `staff`, `campaigns`,
    /// `sequences`, `forms`.
    pub async fn id_of(&self, noun: &str, name: &str) -> String {
        let playbook = self.hospital.playbook().await.expect("there are rules");
        let found = match noun {
            "serviceLine" => playbook
                .lines
                .values()
                .find(|row| row.slug == name)
                .map(|row| row.id.to_string()),
            "facility" => playbook
                .facilities
                .values()
                .find(|row| row.slug == name)
                .map(|row| row.id.to_string()),
            "team" => playbook
                .teams
                .values()
                .find(|row| row.slug == name)
                .map(|row| row.id.to_string()),
            "staff" => {
                let address = format!("{name}@clinic.example");
                playbook
                    .staff
                    .values()
                    .find(|row| row.email == address)
                    .map(|row| row.id.to_string())
            }
            "campaign" => playbook
                .campaign_by_code
                .get(&domain::playbook::fold_name(name))
                .map(ToString::to_string),
            "sequence" => playbook
                .sequences
                .values()
                .find(|row| row.sequence.name == name)
                .map(|row| row.sequence.id.to_string()),
            "template" => playbook.template_by_key.get(name).map(ToString::to_string),
            "templateVersion" => playbook.template_version(name).map(|row| row.id.to_string()),
            "wording" => playbook.wording(name, "en").map(|row| row.id.to_string()),
            _ => panic!("no finder for {noun}"),
        };
        found.unwrap_or_else(|| panic!("clinic.json has no {noun} called {name}"))
    }

    /// The public key of a form.
    pub async fn form_key(&self, slug: &str) -> String {
        let playbook = self.hospital.playbook().await.expect("there are rules");
        playbook.forms[&playbook.form_by_slug[slug]].public_key.clone()
    }
}

/// The value of the session cookie that an answer sets.
pub fn session_cookie(answer: &Answer) -> Option<String> {
    let set = answer
        .headers
        .get_all("set-cookie")
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let mut values = set.filter_map(|cookie| cookie.strip_prefix("leadward_session="));
    values
        .next()
        .and_then(|rest| rest.split(';').next())
        .map(str::to_owned)
}

/// What is read of a mutation's payload besides its user errors.
fn selection_of(field: &str) -> &'static str {
    match field {
        "recordConsent" => "consentEvent { id action }",
        "withdrawConsent" => "messagesWithheld enrollmentsEnded",
        "updateContactPreferences" | "revokePreferenceLinks" => "contact { id }",
        "createCampaign" | "updateCampaign" | "launchCampaign" | "pauseCampaign" => {
            "campaign { id state version }"
        }
        "createSequence" | "publishSequence" | "pauseSequence" => "sequence { id state version }",
        "moveEnrollments" => "move { id state moved remaining }",
        "enrollLead" | "unenrollLead" => "enrollment { id state }",
        "openFollowUp" | "checkItem" => "followUp { id title }",
        "completeFollowUp" | "snoozeFollowUp" | "assignFollowUp" => "followUp { id state dueAt version }",
        "createRuleDraft" | "updateRuleDraft" | "publishRuleDraft" | "discardRuleDraft" => {
            "ruleSet { id number state version }"
        }
        "addAbsence" | "endAbsence" | "setStaffLimit" | "setStaffSkills" => "staff { id away maxOpen }",
        "createCalendarFeed" => "url calendarFeed { id name }",
        "revokeCalendarFeed" => "calendarFeed { id }",
        "answerScript" => "lead { id version }",
        "drawQualitySample" => "qualitySample { id seed population size twice }",
        "reviewQualityItem" => "qualityItem { id complete reviews { id scores { criterion points } } }",
        "openQualityFinding" => "qualityReview { id followUp { id title lead { id } } }",
        "nextFollowUp" => "followUp { id title }",
        "completeFollowUps" | "snoozeFollowUps" | "assignFollowUps" => {
            "results { id followUp { id } userErrors { field code } }"
        }
        "handOverFollowUps" => "handedOver { followUps leads more }",
        "submitLead" => "receipt { leadId created }",
        "recordSpend" => "spend { __typename }",
        "signIn" => "viewer { kind }",
        "suppressAddress" => "suppression { id reason }",
        "createMailing" | "startMailing" | "stopMailing" => "mailing { id state version }",
        "holdOutreach" | "releaseOutreach" => "hold { id until reason }",
        "stopSending" | "resumeSending" => "stop { id domain reason }",
        "pauseSendingRoute" | "resumeSendingRoute" => "route { name state }",
        "exportContact" => "export",
        "eraseContact" => "erasure { leads messagesWithheld enrollmentsEnded }",
        "createTemplate" | "updateTemplate" | "submitTemplate" | "approveTemplate" | "rejectTemplate" => {
            "template { id current { id number state maySend: mayBeSent } }"
        }
        "setCapacity" => "capacity { openSlots weeks { monday openSlots waitDays version } }",
        "importCapacity" => "imported { rows changed }",
        "setRetention" => "policies { kind keepDays }",
        _ => "lead { id stage version }",
    }
}
