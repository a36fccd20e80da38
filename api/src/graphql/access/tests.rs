use std::collections::HashSet;

use entity::id::TokenId;
use uuid::Uuid;

use super::*;

fn token(role: Role) -> Viewer {
    Viewer::Token {
        id: TokenId(Uuid::from_u128(7)),
        role,
    }
}

fn code(viewer: &Viewer, root: &str, field: &str) -> Option<String> {
    let error = check(viewer, root, field).err()?;
    error
        .extensions?
        .get("code")
        .map(|code| code.to_string().replace('"', ""))
}

#[test]
fn every_root_field_of_the_schema_is_in_the_table_once() {
    let mut seen = HashSet::new();
    for rule in table() {
        assert!(seen.insert((rule.root, rule.field)), "{rule:?} is listed twice");
    }
    let sdl = crate::graphql::sdl();
    for root in [Root::Query, Root::Mutation, Root::Subscription] {
        for field in fields_of(&sdl, root.name()) {
            assert!(
                rule(root.name(), &field).is_some(),
                "{}.{field} has no rule",
                root.name()
            );
        }
    }
}

/// The names of a type's fields.
fn fields_of(sdl: &str, root: &str) -> Vec<String> {
    use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
    let document = async_graphql::parser::parse_schema(sdl).unwrap();
    let types = document
        .definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(found) => Some(found.node),
            _ => None,
        });
    let found = types
        .into_iter()
        .find(|found| found.name.node == root)
        .expect("the schema has all roots");
    let TypeKind::Object(object) = found.kind else {
        panic!("{root} is no object")
    };
    object
        .fields
        .into_iter()
        .map(|field| field.node.name.node.to_string())
        .collect()
}

#[test]
fn a_field_that_is_not_in_the_table_is_refused_even_to_an_admin() {
    assert_eq!(
        code(&token(Role::Admin), "Query", "secrets").as_deref(),
        Some("FORBIDDEN")
    );
}

#[test]
fn somebody_unknown_is_asked_to_sign_in_and_a_wrong_role_is_refused() {
    assert_eq!(
        code(&Viewer::Public, "Query", "leads").as_deref(),
        Some("UNAUTHENTICATED")
    );
    assert_eq!(
        code(&token(Role::Analyst), "Query", "leads").as_deref(),
        Some("FORBIDDEN")
    );
    assert_eq!(code(&token(Role::IntakeCoordinator), "Query", "leads"), None);
    assert_eq!(code(&Viewer::Public, "Mutation", "submitLead"), None);
}

#[test]
fn roles_that_read_numbers_see_plans_and_no_people() {
    for role in [Role::Analyst, Role::PerformanceMarketer, Role::ContentLead] {
        for field in [
            "lead",
            "leads",
            "contact",
            "contacts",
            "followUps",
            "message",
            "messages",
        ] {
            assert_eq!(
                code(&token(role), "Query", field).as_deref(),
                Some("FORBIDDEN"),
                "{role} {field}"
            );
        }
        for field in ["campaigns", "serviceLines", "facilities", "teams", "dashboard"] {
            assert_eq!(code(&token(role), "Query", field), None, "{role} {field}");
        }
    }
}
