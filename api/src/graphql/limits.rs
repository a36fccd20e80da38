//! What an operation may cost, looked at before anything runs: nesting, aliases of root fields, missing variables.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, ServerError, Variables};

use super::errors::{BAD_USER_INPUT, GRAPHQL_VALIDATION_FAILED, request_error, set_code};

#[cfg(test)]
mod tests;

/// Most root fields of one operation, aliases counted.
pub const ROOT_FIELDS_MAX: usize = 30;

/// Most selections of a document with its fragments written out, wherever they are spread. A few hundred bytes of
/// fragments that name each other twice would otherwise keep a core busy for minutes.
pub const SELECTIONS_MAX: usize = 5_000;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Checks an operation against the limits.
///
/// # Errors
/// A request error that says which limit.
pub fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    depth_max: usize,
) -> Result<(), ServerError> {
    let set = &operation.selection_set.node;
    let mut walk = Walk {
        fragments: &document.fragments,
        depths: HashMap::new(),
        sizes: HashMap::new(),
    };
    // First of all: whatever walks a document after this takes a time that grows with what it expands to.
    let operations = document
        .operations
        .iter()
        .map(|(_, operation)| &operation.node.selection_set.node);
    let size = operations.fold(0, |size: usize, set| size.saturating_add(walk.size(set)));
    if size > SELECTIONS_MAX {
        let message =
            format!("The document has more than {SELECTIONS_MAX} selections, its fragments written out.");
        return Err(request_error(GRAPHQL_VALIDATION_FAILED, message));
    }
    if walk.depth(set) > depth_max {
        let message = format!("The operation is nested deeper than {depth_max} fields.");
        return Err(request_error(GRAPHQL_VALIDATION_FAILED, message));
    }
    if walk.roots(set, &mut Vec::new()) > ROOT_FIELDS_MAX {
        let message = format!("The operation has more than {ROOT_FIELDS_MAX} root fields.");
        return Err(request_error(GRAPHQL_VALIDATION_FAILED, message));
    }
    missing_variables(operation, variables)
}

/// The engine asks for a variable only when a field uses it, in the middle of execution; the specification asks first.
fn missing_variables(operation: &OperationDefinition, variables: &Variables) -> Result<(), ServerError> {
    for definition in &operation.variable_definitions {
        let variable = &definition.node;
        let name = &variable.name.node;
        let missing = match variables.get(name) {
            None => variable.default_value.is_none(),
            Some(value) => *value == async_graphql::Value::Null,
        };
        if missing && !variable.var_type.node.nullable {
            let message = format!("Variable ${name} of type {} is required.", variable.var_type.node);
            let mut error = ServerError::new(message, Some(definition.pos));
            set_code(&mut error, BAD_USER_INPUT);
            return Err(error);
        }
    }
    Ok(())
}

/// A walk through a document whose fragments may name each other, even in a circle: validation comes later.
struct Walk<'a> {
    fragments: &'a Fragments,
    /// Depths of fragments; none while a fragment is being walked.
    depths: HashMap<&'a Name, Option<usize>>,
    /// Sizes of fragments, written out; none while a fragment is being walked.
    sizes: HashMap<&'a Name, Option<usize>>,
}

impl<'a> Walk<'a> {
    /// How many selections there are with every fragment written out. Each fragment is walked once.
    fn size(&mut self, set: &'a SelectionSet) -> usize {
        set.items.iter().fold(0, |size: usize, selection| {
            let inner = match &selection.node {
                Selection::Field(field) => self.size(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => self.size(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.size_of(&spread.node.fragment_name.node),
            };
            size.saturating_add(1).saturating_add(inner)
        })
    }

    fn size_of(&mut self, name: &'a Name) -> usize {
        if let Some(known) = self.sizes.get(name) {
            return known.unwrap_or(0);
        }
        let Some(fragment) = self.fragments.get(name) else {
            return 0;
        };
        self.sizes.insert(name, None);
        let size = self.size(&fragment.node.selection_set.node);
        self.sizes.insert(name, Some(size));
        size
    }

    /// The deepest nesting. Introspection is not counted: tools nest it deeply and it costs nothing.
    fn depth(&mut self, set: &'a SelectionSet) -> usize {
        let mut deepest = 0;
        for selection in &set.items {
            let depth = match &selection.node {
                Selection::Field(field) if field.node.name.node.starts_with("__") => 0,
                Selection::Field(field) => 1 + self.depth(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => self.depth(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.depth_of(&spread.node.fragment_name.node),
            };
            deepest = deepest.max(depth);
        }
        deepest
    }

    fn depth_of(&mut self, name: &'a Name) -> usize {
        if let Some(known) = self.depths.get(name) {
            return known.unwrap_or(0);
        }
        let Some(fragment) = self.fragments.get(name) else {
            return 0;
        };
        self.depths.insert(name, None);
        let depth = self.depth(&fragment.node.selection_set.node);
        self.depths.insert(name, Some(depth));
        depth
    }

    /// How many root fields there are, counted until it is clear that they are too many.
    fn roots(&self, set: &'a SelectionSet, within: &mut Vec<&'a Name>) -> usize {
        let mut count = 0;
        for selection in &set.items {
            count += match &selection.node {
                Selection::Field(_) => 1,
                Selection::InlineFragment(inline) => self.roots(&inline.node.selection_set.node, within),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    match self.fragments.get(name) {
                        Some(fragment) if !within.contains(&name) => {
                            within.push(name);
                            let count = self.roots(&fragment.node.selection_set.node, within);
                            within.pop();
                            count
                        }
                        _ => 0,
                    }
                }
            };
            if count > ROOT_FIELDS_MAX {
                break;
            }
        }
        count
    }
}
