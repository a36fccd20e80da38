use async_graphql::parser::parse_query;
use async_graphql::parser::types::DocumentOperations;

use super::*;

fn checked(query: &str, variables: serde_json::Value) -> Result<(), String> {
    let document = parse_query(query).unwrap();
    let operation = match &document.operations {
        DocumentOperations::Single(operation) => operation,
        DocumentOperations::Multiple(all) => all.values().next().unwrap(),
    };
    check(&document, &operation.node, &Variables::from_json(variables), 4).map_err(|error| error.message)
}

#[test]
fn nesting_is_counted_through_fragments() {
    assert!(checked("{ a { b { c { d } } } }", serde_json::json!({})).is_ok());
    assert!(checked("{ a { b { c { d { e } } } } }", serde_json::json!({})).is_err());
    let deep = "{ a { ...F } } fragment F on T { b { ...G } } fragment G on T { c { d { e } } }";
    assert!(checked(deep, serde_json::json!({})).is_err());
}

#[test]
fn introspection_may_be_as_deep_as_tools_like() {
    let query = "{ __schema { types { ofType { ofType { ofType { ofType { name } } } } } } }";
    assert!(checked(query, serde_json::json!({})).is_ok());
}

#[test]
fn fragments_in_a_circle_do_not_hang() {
    let circle = "{ a { ...F } } fragment F on T { ...G } fragment G on T { ...F }";
    assert!(checked(circle, serde_json::json!({})).is_ok());
}

#[test]
fn one_operation_has_at_most_thirty_root_fields() {
    let fields = |count: usize| (0..count).map(|n| format!("a{n}: viewer ")).collect::<String>();
    assert!(checked(&format!("{{ {} }}", fields(30)), serde_json::json!({})).is_ok());
    assert!(checked(&format!("{{ {} }}", fields(31)), serde_json::json!({})).is_err());
    let spread = format!("query {{ ...F }} fragment F on Query {{ {} }}", fields(31));
    assert!(checked(&spread, serde_json::json!({})).is_err());
}

#[test]
fn fragments_that_multiply_are_counted_only_as_far_as_needed() {
    let mut query = "query { ...F0 }".to_owned();
    for n in 0..60 {
        let next = n + 1;
        query.push_str(&format!(
            " fragment F{n} on Query {{ a{n}: viewer ...F{next} b{n}: viewer ...F{next} }}"
        ));
    }
    query.push_str(" fragment F60 on Query { viewer }");
    assert!(checked(&query, serde_json::json!({})).is_err());
}

#[test]
fn a_required_variable_must_be_there_and_not_null() {
    let query = "query ($id: ID!, $first: Int! = 5) { lead(id: $id) { id } }";
    assert!(checked(query, serde_json::json!({ "id": "x" })).is_ok());
    assert_eq!(
        checked(query, serde_json::json!({})),
        Err("Variable $id of type ID! is required.".to_owned())
    );
    assert!(checked(query, serde_json::json!({ "id": null })).is_err());
    assert!(checked(query, serde_json::json!({ "id": "x", "first": null })).is_err());
}
