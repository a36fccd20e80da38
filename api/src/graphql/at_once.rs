//! Objects most of whose fields are at hand, as lists have them by the hundred.
//!
//! The engine makes a task of its own for every field of every row, because it may have to wait. Here each field is asked
//! once where it stands; only one that really waits, for a loader, becomes a task. A page of 50 leads has about 900 fields,
//! and nearly all of them answer at once. What a client sees is the same: the order of fields, errors, nulls.
//!
//! Extensions of the engine that watch single fields would not see these; the schema has none.

use std::borrow::Cow;
use std::task::Poll;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};
use futures_util::future::join_all;
use futures_util::poll;

/// An object of type `T`, under the same name in the schema. Where objects can hold each other in a circle, one of them
/// has to be left to the engine, or the type of the whole has no end.
#[derive(Clone, Debug)]
pub struct AtOnce<T>(pub T);

impl<T: ContainerType> OutputType for AtOnce<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match fields(ctx, &T::type_name()) {
            Some(fields) => Ok(resolve(ctx, &self.0, &fields).await),
            None => resolve_container(ctx, &self.0).await,
        }
    }
}

/// The fields that are selected, in their order, if each has a key of its own. None leaves it to the engine, which knows
/// what directives mean, and how to merge what is selected twice.
fn fields<'a>(ctx: &ContextSelectionSet<'a>, type_name: &str) -> Option<Vec<&'a Positioned<Field>>> {
    let mut found = Vec::with_capacity(ctx.item.node.items.len());
    collect(ctx, &ctx.item.node, type_name, &mut found)?;
    let keys = || found.iter().map(|field| &field.node.response_key().node);
    let is_new = |(at, key): (usize, &Name)| keys().take(at).all(|other| other != key);
    keys().enumerate().all(is_new).then_some(found)
}

/// Adds what a selection names, fragments on the very type included.
fn collect<'a>(
    ctx: &ContextSelectionSet<'a>,
    selected: &'a SelectionSet,
    type_name: &str,
    found: &mut Vec<&'a Positioned<Field>>,
) -> Option<()> {
    for selection in &selected.items {
        match &selection.node {
            Selection::Field(field) if field.node.directives.is_empty() => found.push(field),
            Selection::Field(_) => return None,
            Selection::InlineFragment(fragment) => {
                let on = fragment.node.type_condition.as_ref();
                if on.is_some_and(|on| on.node.on.node != type_name) {
                    return None;
                }
                collect(ctx, &fragment.node.selection_set.node, type_name, found)?;
            }
            Selection::FragmentSpread(spread) => {
                let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node)?;
                if fragment.node.type_condition.node.on.node != type_name {
                    return None;
                }
                collect(ctx, &fragment.node.selection_set.node, type_name, found)?;
            }
        }
    }
    Some(())
}

/// Asks field by field, and waits at the end for those that were not at hand.
async fn resolve<'a, T: ContainerType>(
    ctx: &'a ContextSelectionSet<'a>,
    object: &'a T,
    fields: &[&'a Positioned<Field>],
) -> Value {
    let answer =
        |field: &'a Positioned<Field>| async move { object.resolve_field(&ctx.with_field(field)).await };
    let mut results = IndexMap::with_capacity(fields.len());
    let mut waiting = Vec::new();
    // One place for the fields, one after another: what answers at once leaves it to the next.
    let mut place = Box::pin(None);
    for field in fields {
        let key = field.node.response_key().node.clone();
        if field.node.name.node == "__typename" {
            results.insert(key, Value::String(object.introspection_type_name().into_owned()));
            continue;
        }
        place.set(Some(answer(field)));
        let Some(asked) = place.as_mut().as_pin_mut() else {
            continue;
        };
        match poll!(asked) {
            Poll::Ready(answered) => note(ctx, &mut results, key, answered),
            Poll::Pending => {
                results.insert(key.clone(), Value::Null);
                let mut waits = std::mem::replace(&mut place, Box::pin(None));
                waiting.push(async move {
                    match waits.as_mut().as_pin_mut() {
                        Some(asked) => (key, asked.await),
                        None => (key, Ok(None)),
                    }
                });
            }
        }
    }
    // Not a stream of whoever comes first: that wakes itself after each round, and the page's other rows would not have
    // asked their loaders yet when the first row's are looked up.
    for (key, answered) in join_all(waiting).await {
        note(ctx, &mut results, key, answered);
    }
    if results.is_empty() {
        Value::Null
    } else {
        Value::Object(results)
    }
}

/// As the engine does: a field that failed is left out and its error told, and the type of what holds it says how far the
/// null goes.
fn note(
    ctx: &ContextSelectionSet<'_>,
    results: &mut IndexMap<Name, Value>,
    key: Name,
    answered: ServerResult<Option<Value>>,
) {
    match answered {
        Ok(value) => {
            results.insert(key, value.unwrap_or_default());
        }
        Err(error) => {
            results.shift_remove(&key);
            ctx.add_error(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Error, Object, Response, Schema};

    use super::*;

    struct Bed {
        number: i32,
    }

    #[Object]
    impl Bed {
        async fn number(&self) -> i32 {
            self.number
        }

        /// Comes later than what stands behind it.
        async fn name(&self) -> String {
            tokio::task::yield_now().await;
            format!("bed {}", self.number)
        }

        async fn ward(&self, #[graphql(default = 1)] floor: i32) -> String {
            format!("ward {floor}")
        }

        async fn patient(&self) -> Result<Option<String>, Error> {
            tokio::task::yield_now().await;
            Err(Error::new("nobody may know"))
        }

        async fn nurse(&self) -> Result<String, Error> {
            Err(Error::new("nobody is there"))
        }

        async fn next(&self) -> Option<Bed> {
            let number = self.number + 1;
            (number < 4).then_some(Bed { number })
        }
    }

    struct Query;

    #[Object]
    impl Query {
        /// As the engine resolves it.
        async fn plain(&self) -> Vec<Bed> {
            (1..3).map(|number| Bed { number }).collect()
        }

        /// The same, at once.
        async fn quick(&self) -> Vec<AtOnce<Bed>> {
            (1..3).map(|number| AtOnce(Bed { number })).collect()
        }
    }

    async fn ask(list: &str, selection: &str, more: &str) -> Response {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        schema
            .execute(format!("{{ list: {list} {selection} }} {more}"))
            .await
    }

    /// Errors as they are told, in no order: the engine's own depends on what waits.
    fn told(answer: &Response) -> Vec<String> {
        let mut told: Vec<String> = answer.errors.iter().map(|error| format!("{error:?}")).collect();
        told.sort_unstable();
        told
    }

    #[tokio::test]
    async fn what_is_resolved_at_once_is_what_the_engine_answers() {
        for (selection, more) in [
            ("{ number }", ""),
            ("{ number ward }", ""),
            ("{ a: number b: number }", ""),
            ("{ number number }", ""),
            ("{ __typename number }", ""),
            ("{ ward(floor: 7) }", ""),
            ("{ number name ward }", ""),
            ("{ number @include(if: false) ward @skip(if: false) }", ""),
            ("{ ... { number } ... on Bed { ward } }", ""),
            ("{ ...B ...B }", "fragment B on Bed { number name }"),
            ("{ next { number } next { ward } }", ""),
            ("{ next { number next { number name next { number } } } }", ""),
            ("{ number patient }", ""),
            ("{ patient nurse }", ""),
            ("{ number next { nurse } }", ""),
        ] {
            let (plain, quick) = (
                ask("plain", selection, more).await,
                ask("quick", selection, more).await,
            );
            assert_eq!(quick.data, plain.data, "{selection}");
            assert_ne!(quick.data, Value::Null, "{selection}");
            assert_eq!(told(&quick), told(&plain), "{selection}");
        }
    }

    #[tokio::test]
    async fn fields_stand_in_the_order_in_which_they_were_asked_for_even_if_one_waits() {
        let answer = ask("quick", "{ name number ward }", "").await;
        let text = serde_json::to_string(&answer.data).unwrap_or_default();
        assert!(
            text.starts_with(r#"{"list":[{"name":"bed 1","number":1,"ward":"ward 1"}"#),
            "{text}"
        );
    }

    #[test]
    fn the_schema_does_not_know_the_difference() {
        let sdl = Schema::new(Query, EmptyMutation, EmptySubscription).sdl();
        assert!(
            sdl.contains("plain: [Bed!]!") && sdl.contains("quick: [Bed!]!"),
            "{sdl}"
        );
    }
}
