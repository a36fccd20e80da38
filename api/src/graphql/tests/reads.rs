use entity::enums::Role;
use poem::http::StatusCode;
use serde_json::{Value, json};

use super::ground::Ground;

const PAGE: &str = "query ($first: Int, $after: String, $last: Int, $before: String) {
  leads(first: $first, after: $after, last: $last, before: $before) {
    totalCount
    edges { cursor node { id } }
    nodes {
      id stage type urgent receivedAt flags
      contact { displayName email } serviceLine { name } facility { name } team { name } owner { displayName }
      source { channel campaign { name } placement { name } utm { source } }
      score { points grade reasons { rule } } routing { rule explanation team { name } } sla { dueAt state attemptsMade }
      nextAppointment { startsAt }
      timeline(first: 3) { totalCount nodes { kind at actor { kind name } } }
      followUps { nodes { title dueAt assignee { displayName } } }
      messages { nodes { subject state decision { outcome reasons { code text } } events { kind } } }
      enrollments { state }
    }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}";

fn ids(page: &Value) -> Vec<String> {
    let nodes = page["data"]["leads"]["nodes"]
        .as_array()
        .unwrap_or_else(|| panic!("{page:#}"));
    nodes
        .iter()
        .map(|node| node["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_page_of_leads_costs_the_same_statements_whatever_its_size() {
    let ground = Ground::new().await;
    let admin = ground.token(Role::Admin).await;
    for n in 0..12 {
        ground
            .lead(n, if n % 2 == 0 { "sleep study" } else { "heart" })
            .await;
    }
    let simple = "query ($first: Int) { leads(first: $first) { nodes {
        id contact { displayName } serviceLine { name } facility { name } owner { displayName } team { name }
        source { campaign { name } } } } }";
    let mut costs = Vec::new();
    for first in [1, 2, 12] {
        ground.statements();
        let answered = ground.ask(Some(&admin), simple, json!({ "first": first })).await;
        assert!(answered.body.get("errors").is_none(), "{:#}", answered.body);
        assert_eq!(ids(&answered.body).len(), first);
        costs.push(ground.statements());
    }
    assert!(
        costs
            .iter()
            .all(|cost| cost.len() == costs[0].len() && cost.len() <= 8),
        "{costs:#?}"
    );
    let mut costs = Vec::new();
    for first in [2, 12] {
        ground.statements();
        let answered = ground.ask(Some(&admin), PAGE, json!({ "first": first })).await;
        assert!(answered.body.get("errors").is_none(), "{:#}", answered.body);
        costs.push(ground.statements().len());
    }
    assert_eq!(costs[0], costs[1], "nested lists are read together");
}

#[tokio::test]
async fn pages_go_through_a_list_from_both_ends() {
    let ground = Ground::new().await;
    let admin = ground.token(Role::Admin).await;
    let mut made = Vec::new();
    for n in 0..7 {
        made.insert(0, ground.lead(n, "sleep study").await.to_string());
    }
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = ground
            .ask(Some(&admin), PAGE, json!({ "first": 3, "after": after }))
            .await
            .body;
        assert_eq!(page["data"]["leads"]["totalCount"], 7);
        seen.extend(ids(&page));
        let info = &page["data"]["leads"]["pageInfo"];
        assert_eq!(info["hasPreviousPage"], !after.is_null());
        after = info["endCursor"].clone();
        if info["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen, made);
    let last = ground.ask(Some(&admin), PAGE, json!({ "last": 2 })).await.body;
    assert_eq!(ids(&last), made[5..]);
    let before = &last["data"]["leads"]["pageInfo"]["startCursor"];
    let earlier = ground
        .ask(Some(&admin), PAGE, json!({ "last": 2, "before": before }))
        .await
        .body;
    assert_eq!(ids(&earlier), made[3..5]);
    assert_eq!(earlier["data"]["leads"]["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn arguments_that_cannot_be_are_named() {
    let ground = Ground::new().await;
    let admin = ground.token(Role::Admin).await;
    for (query, argument) in [
        ("{ leads(first: -1) { totalCount } }", "first"),
        ("{ leads(first: 101) { totalCount } }", "first"),
        ("{ leads(first: 1, last: 1) { totalCount } }", "last"),
        ("{ leads(after: \"nonsense\") { totalCount } }", "after"),
        (
            "{ lead(id: \"contact_00000000000000000000000000\") { id } }",
            "id",
        ),
        (
            "{ leads(filter: { teamIds: [\"7\"] }) { totalCount } }",
            "filter.teamIds",
        ),
        ("{ node(id: \"nothing\") { id } }", "id"),
        (
            "{ dashboard(filter: { from: \"2026-03-02T00:00:00Z\", to: \"2026-03-01T00:00:00Z\" }) { attribution } }",
            "filter.to",
        ),
    ] {
        let answered = ground.ask(Some(&admin), query, json!({})).await;
        assert_eq!(
            (answered.status, answered.code()),
            (StatusCode::OK, "BAD_USER_INPUT"),
            "{:#}",
            answered.body
        );
        assert_eq!(
            answered.body["errors"][0]["extensions"]["argument"], argument,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_coordinator_sees_the_leads_of_the_own_team_and_no_others() {
    let ground = Ground::new().await;
    let (mine, theirs) = (ground.lead(1, "sleep study").await, ground.lead(2, "heart").await);
    let cookie = (
        "cookie",
        format!("leadward_session={}", ground.sign_in("nora@example.org").await),
    );
    let query = "query ($mine: ID!, $theirs: ID!) {
        mine: lead(id: $mine) { id contact { leads { totalCount } } } theirs: lead(id: $theirs) { id }
        nodes(ids: [$mine, $theirs]) { id } leads { totalCount nodes { id } } contacts { totalCount }
        followUps { totalCount nodes { lead { id } } } messages { totalCount }
    }";
    let body =
        json!({ "query": query, "variables": { "mine": mine.to_string(), "theirs": theirs.to_string() } });
    let data = ground.post(&[cookie], &body).await.body;
    let data = &data["data"];
    assert_eq!(data["mine"]["id"], mine.to_string());
    assert_eq!(data["theirs"], Value::Null);
    assert_eq!(data["nodes"], json!([{ "id": mine.to_string() }, null]));
    assert_eq!(
        data["leads"],
        json!({ "totalCount": 1, "nodes": [{ "id": mine.to_string() }] })
    );
    assert_eq!(data["contacts"]["totalCount"], 1);
    assert_eq!(
        data["followUps"],
        json!({ "totalCount": 1, "nodes": [{ "lead": { "id": mine.to_string() } }] })
    );
}

#[tokio::test]
async fn roles_that_read_numbers_get_numbers() {
    let ground = Ground::new().await;
    let lead = ground.lead(1, "sleep study").await;
    let analyst = ground.token(Role::Analyst).await;
    let refused = ground
        .ask(Some(&analyst), "{ leads { totalCount } }", json!({}))
        .await;
    assert_eq!((refused.status, refused.code()), (StatusCode::OK, "FORBIDDEN"));
    let public = ground.ask(None, "{ campaigns { totalCount } }", json!({})).await;
    assert_eq!(public.code(), "UNAUTHENTICATED");
    let node = ground
        .ask(
            Some(&analyst),
            "query ($id: ID!) { node(id: $id) { id } }",
            json!({ "id": lead.to_string() }),
        )
        .await;
    assert_eq!(node.body["data"]["node"], Value::Null);
    let query = "query ($from: DateTime!, $to: DateTime!) {
        campaigns { nodes { name spend { minor currency } serviceLines { name aliases } placements { sourceCode } } }
        serviceLines { name } facilities { timeZone } teams { name members { displayName } }
        sequences { totalCount } viewer { role permissions }
        dashboard(filter: { from: $from, to: $to }) {
          totals { leads contactRate } byServiceLine { name totals { leads } } byChannel { channel }
          byCampaign { name campaign { code } } byServiceLineAndChannel { channel serviceLine { name } }
          outcomes { outcome count } timeToFirstContact { median p90 histogram { from to count } }
          sla { met missed lateNow } series(grain: DAY) { startsAt totals { leads } } previous { totals { leads } }
        }
    }";
    let period = json!({ "from": "2026-03-03T00:00:00-05:00", "to": "2026-03-05T00:00:00-05:00" });
    let answered = ground.ask(Some(&analyst), query, period).await;
    assert!(answered.body.get("errors").is_none(), "{:#}", answered.body);
    let data = &answered.body["data"];
    assert_eq!(data["dashboard"]["totals"]["leads"], 1);
    assert_eq!(data["dashboard"]["previous"]["totals"]["leads"], 0);
    assert_eq!(
        data["campaigns"]["nodes"][0]["serviceLines"][0]["aliases"],
        json!(["sleep study"])
    );
    assert_eq!(
        data["campaigns"]["nodes"][0]["placements"][0]["sourceCode"],
        "SLP-AD-1"
    );
}

#[tokio::test]
async fn filters_and_orders_of_leads_do_what_they_say() {
    let ground = Ground::new().await;
    let admin = ground.token(Role::Admin).await;
    let sleep = ground.lead(1, "sleep study").await.to_string();
    let heart = ground.lead(2, "heart").await.to_string();
    let ask = |filter: Value, order: Value| {
        let query = "query ($f: LeadFilter, $o: LeadOrder) { leads(filter: $f, orderBy: $o) { totalCount nodes { id } } }";
        ground.ask(Some(&admin), query, json!({ "f": filter, "o": order }))
    };
    let oldest = json!({ "field": "RECEIVED_AT", "direction": "ASC" });
    assert_eq!(
        ids(&ask(json!({}), oldest).await.body),
        [sleep.clone(), heart.clone()]
    );
    assert_eq!(
        ids(&ask(json!({}), Value::Null).await.body),
        [heart.clone(), sleep.clone()]
    );
    assert_eq!(
        ids(&ask(json!({ "slaState": "OPEN" }), json!({ "field": "SCORE" }))
            .await
            .body)
        .len(),
        2
    );
    assert_eq!(
        ids(&ask(json!({ "slaState": "LATE" }), Value::Null).await.body).len(),
        0
    );
    let since =
        json!({ "receivedFrom": ground.now().to_rfc3339(), "stages": ["NEW"], "channels": ["PAID_SEARCH"] });
    assert_eq!(ids(&ask(since, Value::Null).await.body), [heart]);
    ground.clock.advance(chrono::TimeDelta::days(30));
    for (state, count) in [("MET", 0), ("OPEN", 0), ("LATE", 2), ("MISSED", 0), ("ENDED", 0)] {
        assert_eq!(
            ids(&ask(json!({ "slaState": state }), Value::Null).await.body).len(),
            count,
            "{state}"
        );
    }
}
