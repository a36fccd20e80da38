//! The names that front-end code is written against, held against the schema: every type, field and argument of
//! `tests/core.graphql` must be there with the same type.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, ServiceDocument, TypeDefinition, TypeKind, TypeSystemDefinition,
};

const CORE: &str = include_str!("../../tests/core.graphql");

fn types(document: &ServiceDocument) -> HashMap<&str, &TypeDefinition> {
    let definitions = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(&definition.node),
            _ => None,
        });
    definitions
        .map(|definition| (definition.name.node.as_str(), definition))
        .collect()
}

/// Everything of `core` that `schema` has not, or has otherwise.
fn breaches(core: &str, schema: &str) -> Vec<String> {
    let (core, schema) = (parse_schema(core).unwrap(), parse_schema(schema).unwrap());
    let have = types(&schema);
    let mut found = Vec::new();
    for (name, wanted) in types(&core) {
        match have.get(name) {
            None => found.push(format!("{name} is missing")),
            Some(present) => compare_types(name, wanted, present, &mut found),
        }
    }
    found.sort();
    found
}

fn compare_types(name: &str, wanted: &TypeDefinition, present: &TypeDefinition, found: &mut Vec<String>) {
    match (&wanted.kind, &present.kind) {
        (TypeKind::Scalar, TypeKind::Scalar) => {}
        (TypeKind::Object(wanted), TypeKind::Object(present)) => {
            for interface in &wanted.implements {
                if !present.implements.iter().any(|have| have.node == interface.node) {
                    found.push(format!("{name} does not implement {}", interface.node));
                }
            }
            compare_fields(name, &wanted.fields, &present.fields, found);
        }
        (TypeKind::Interface(wanted), TypeKind::Interface(present)) => {
            compare_fields(name, &wanted.fields, &present.fields, found);
        }
        (TypeKind::InputObject(wanted), TypeKind::InputObject(present)) => {
            compare_values(name, &wanted.fields, &present.fields, found);
        }
        _ => found.push(format!("{name} is of another kind")),
    }
}

fn compare_fields(
    owner: &str,
    wanted: &[Positioned<FieldDefinition>],
    present: &[Positioned<FieldDefinition>],
    found: &mut Vec<String>,
) {
    for field in wanted {
        let (name, ty) = (&field.node.name.node, &field.node.ty.node);
        let Some(have) = present.iter().find(|have| have.node.name.node == *name) else {
            found.push(format!("{owner}.{name} is missing"));
            continue;
        };
        if have.node.ty.node != *ty {
            found.push(format!(
                "{owner}.{name} is {} and should be {ty}",
                have.node.ty.node
            ));
        }
        compare_values(
            &format!("{owner}.{name}"),
            &field.node.arguments,
            &have.node.arguments,
            found,
        );
    }
}

/// Arguments, or fields of an input. One that is new must not be needed, or old requests would fail.
fn compare_values(
    owner: &str,
    wanted: &[Positioned<InputValueDefinition>],
    present: &[Positioned<InputValueDefinition>],
    found: &mut Vec<String>,
) {
    for value in wanted {
        let (name, ty) = (&value.node.name.node, &value.node.ty.node);
        match present.iter().find(|have| have.node.name.node == *name) {
            None => found.push(format!("{owner}({name}) is missing")),
            Some(have) if have.node.ty.node != *ty => {
                found.push(format!(
                    "{owner}({name}) is {} and should be {ty}",
                    have.node.ty.node
                ));
            }
            Some(_) => {}
        }
    }
    for value in present.iter().map(|value| &value.node) {
        let is_new = !wanted.iter().any(|known| known.node.name.node == value.name.node);
        if is_new && !value.ty.node.nullable && value.default_value.is_none() {
            found.push(format!("{owner}({}) is new and needed", value.name.node));
        }
    }
}

#[test]
fn the_schema_keeps_every_name_and_type_of_the_core() {
    let found = breaches(CORE, &super::sdl());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_mutation_takes_one_input_and_answers_with_user_errors() {
    let sdl = super::sdl();
    let schema = parse_schema(&sdl).unwrap();
    let types = types(&schema);
    let TypeKind::Object(mutation) = &types["Mutation"].kind else {
        panic!("Mutation is no object")
    };
    for field in mutation.fields.iter().map(|field| &field.node) {
        let name = field.name.node.as_str();
        let inputs: Vec<&str> = field
            .arguments
            .iter()
            .map(|argument| argument.node.name.node.as_str())
            .collect();
        assert!(
            inputs == ["input"] || name == "signOut",
            "{name} takes {inputs:?}"
        );
        let payload = format!("{}{}Payload", name[..1].to_uppercase(), &name[1..]);
        assert_eq!(field.ty.node.to_string(), format!("{payload}!"));
        let TypeKind::Object(payload) = &types[payload.as_str()].kind else {
            panic!("{payload} is no object")
        };
        let errors = payload
            .fields
            .iter()
            .find(|field| field.node.name.node == "userErrors")
            .unwrap();
        assert_eq!(errors.node.ty.node.to_string(), "[UserError!]!");
        for thing in payload
            .fields
            .iter()
            .filter(|field| !["userErrors", "signedOut"].contains(&&*field.node.name.node))
        {
            assert!(
                thing.node.ty.node.nullable,
                "{name}: {} must be null when nothing was done",
                thing.node.name.node
            );
        }
    }
}

#[test]
fn a_breach_is_seen() {
    let core = "type A implements N { x(y: Int): Int! z: [A!]! } interface N { id: ID! } scalar S";
    let schema = "type A { x(y: Int!, w: Int!): Int q: Int } interface N { id: ID! } type S { a: Int }";
    let expected = [
        "A does not implement N",
        "A.x is Int and should be Int!",
        "A.x(w) is new and needed",
        "A.x(y) is Int! and should be Int",
        "A.z is missing",
        "S is of another kind",
    ];
    assert_eq!(breaches(core, schema), expected);
}
