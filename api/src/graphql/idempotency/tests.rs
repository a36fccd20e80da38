use async_graphql::{ServerError, Variables, value};
use entity::enums::Role;
use entity::id::TokenId;
use serde_json::json;
use uuid::Uuid;

use super::*;

#[test]
fn a_key_is_read_bare_and_quoted() {
    assert_eq!(
        read_key("8e03978e-40d5-43dd-bc93-6894a57f9324"),
        Some("8e03978e-40d5-43dd-bc93-6894a57f9324")
    );
    assert_eq!(read_key("\"k 1\""), Some("k 1"));
    assert_eq!(read_key(&"k".repeat(255)).map(str::len), Some(255));
    for wrong in ["", "\"\"", "\"", "a\"b", "ключ", &"k".repeat(256)] {
        assert_eq!(read_key(wrong), None, "{wrong}");
    }
}

fn request(query: &str, variables: Value) -> Request {
    Request::new(query).variables(Variables::from_json(variables))
}

#[test]
fn the_order_of_variables_does_not_make_another_request_and_anything_else_does() {
    let query = "mutation M($i: I!) { closeLead(input: $i) { userErrors { code } } }";
    let one = request(query, json!({ "i": { "leadId": "lead_1", "note": "a" }, "x": 1 }));
    // Parsed from text, because `json!` sorts.
    let text = r#"{"x":1,"i":{"note":"a","leadId":"lead_1"}}"#;
    let same = Request::new(query).variables(serde_json::from_str(text).unwrap());
    assert_eq!(fingerprint(&one), fingerprint(&same));
    let other_value = request(query, json!({ "i": { "leadId": "lead_1", "note": "b" }, "x": 1 }));
    let other_name =
        request(query, json!({ "i": { "leadId": "lead_1", "note": "a" }, "x": 1 })).operation_name("M");
    let other_query = request(&query.replace("code", "message"), json!({ "i": {}, "x": 1 }));
    for other in [other_value, other_name, other_query] {
        assert_ne!(fingerprint(&one), fingerprint(&other));
    }
}

#[test]
fn a_kept_answer_reads_back_with_its_fields_in_order() {
    let answer = Response::new(value!({ "z": { "b": 1, "a": [null, "x\u{0}y"] }, "m": true }));
    let back = written(&text(&answer).unwrap()).unwrap();
    assert_eq!(
        serde_json::to_string(&back).unwrap(),
        serde_json::to_string(&answer).unwrap()
    );
}

#[test]
fn principals_do_not_share_keys() {
    let token = |n| Viewer::Token {
        id: TokenId(Uuid::from_u128(n)),
        role: Role::Admin,
    };
    assert_ne!(principal(&token(1)), principal(&token(2)));
    assert_eq!(principal(&Viewer::Public), "public");
}

#[test]
fn an_answer_is_kept_when_it_went_well_or_something_was_committed_and_never_with_a_secret() {
    let well = Response::new(value!({ "a": 1 }));
    let failed = Response::from_errors(vec![ServerError::new("no", None)]);
    let course = Course::default();
    assert!(course.keeps(&well));
    assert!(!course.keeps(&failed));
    course.committed.store(true, Ordering::Relaxed);
    assert!(course.keeps(&failed));
    course.secret.store(true, Ordering::Relaxed);
    assert!(!course.keeps(&well));
}
