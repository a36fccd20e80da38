//! Keeps the table: what wraps the root types, so that no root field is reached around it.
//!
//! An extension of the engine could do the same, but the engine would then ask it for every field of every row.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{
    Context, ContextSelectionSet, ObjectType, OutputType, Positioned, Response, ServerError, ServerResult,
    SubscriptionType, Value,
};
use domain::viewer::Viewer;
use futures_util::Stream;
use futures_util::stream::once;

use super::{Root, check};
use crate::graphql::ask::Ask;

/// A root type whose fields are only reached by those who may ask for them.
pub struct Guarded<T> {
    root: Root,
    fields: T,
}

impl<T> Guarded<T> {
    /// Guards the fields of a root type.
    pub const fn new(root: Root, fields: T) -> Self {
        Self { root, fields }
    }

    fn check(&self, ctx: &Context<'_>) -> ServerResult<()> {
        let viewer = ctx
            .data_opt::<Arc<Ask>>()
            .map_or(&Viewer::Public, |ask| ask.viewer());
        let name = &ctx.item.node.name;
        check(viewer, self.root.name(), &name.node)
            .map_err(|error| ctx.set_error_path(error.into_server_error(name.pos)))
    }
}

impl<T: ObjectType> ContainerType for Guarded<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        self.check(ctx)?;
        let resolved = self.fields.resolve_field(ctx).await;
        // By its path an error of execution is known from one of the request.
        resolved.map_err(|error| {
            if error.path.is_empty() {
                ctx.set_error_path(error)
            } else {
                error
            }
        })
    }
}

impl<T: ObjectType> OutputType for Guarded<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<T: ObjectType> ObjectType for Guarded<T> {}

type Answers<'a> = Pin<Box<dyn Stream<Item = Response> + Send + 'a>>;

impl<T: SubscriptionType> SubscriptionType for Guarded<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    fn create_field_stream<'a>(&'a self, ctx: &'a Context<'_>) -> Option<Answers<'a>> {
        match self.check(ctx) {
            Ok(()) => self.fields.create_field_stream(ctx),
            Err(error) => Some(Box::pin(once(refused(error)))),
        }
    }
}

async fn refused(error: ServerError) -> Response {
    Response::from_errors(vec![error])
}
