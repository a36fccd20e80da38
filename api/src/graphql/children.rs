//! Lists inside of lists: the timelines of a page of leads are read in one statement, whatever the number of leads.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Error;
use async_graphql::dataloader::Loader;
use async_graphql::resolver_utils::ContainerType;
use domain::viewer::Viewer;
use entity::id::TypedId;
use sea_orm::sea_query::{Expr, ExprTrait, Func, OverStatement, Query, WindowStatement};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, ModelTrait, QueryFilter, QuerySelect,
    QueryTrait, Select, Value,
};
use uuid::Uuid;

use super::ask::Ask;
use super::loaders::Rows;
use super::page::{self, Connection, Count, Order, PageArgs, Slice, Window};

/// Most rows of a list inside another one that is not a connection.
pub const LIST_MAX: u64 = 100;

/// A list that every row of some kind has.
pub trait Children: Copy + Eq + Hash + Send + Sync + 'static {
    /// The table of the list.
    type Entity: EntityTrait<Model: Send + Sync>;
    /// The id of the row that has it.
    type Parent: TypedId + Eq + Hash + Send + Sync + Into<Value> + 'static;

    /// The column that names the row that has it.
    const PARENT: <Self::Entity as EntityTrait>::Column;
    /// The order of the list.
    const ORDER: Order<Self::Entity>;

    /// Which of the rows the viewer may see, given that the parent may be seen.
    fn seen_by(_viewer: &Viewer) -> Condition {
        Condition::all()
    }
}

/// Asks for a part of one parent's list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartOf<C: Children> {
    list: C,
    of: C::Parent,
    window: Window,
}

/// Asks how long one parent's list is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LengthOf<C: Children> {
    list: C,
    of: C::Parent,
}

type RowOf<C> = <<C as Children>::Entity as EntityTrait>::Model;

impl<C: Children> Loader<PartOf<C>> for Rows {
    type Value = Arc<Vec<RowOf<C>>>;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[PartOf<C>]) -> Result<HashMap<PartOf<C>, Self::Value>, Self::Error> {
        let mut by_window: HashMap<&Window, Vec<&PartOf<C>>> = HashMap::new();
        for key in keys {
            by_window.entry(&key.window).or_default().push(key);
        }
        let mut found = HashMap::with_capacity(keys.len());
        // All parents of a page are asked with the same arguments, so this is one window and one statement.
        for (window, keys) in by_window {
            let parents: Vec<C::Parent> = keys.iter().map(|key| key.of).collect();
            let rows = parts::<C>(&self.db, &self.viewer, &parents, window).await?;
            let mut by_parent: HashMap<Uuid, Vec<RowOf<C>>> = HashMap::new();
            for row in rows {
                if let Value::Uuid(Some(parent)) = row.get(C::PARENT) {
                    by_parent.entry(parent).or_default().push(row);
                }
            }
            for key in keys {
                let rows = by_parent.remove(&key.of.uuid()).unwrap_or_default();
                found.insert(key.clone(), Arc::new(rows));
            }
        }
        Ok(found)
    }
}

impl<C: Children> Loader<LengthOf<C>> for Rows {
    type Value = i64;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[LengthOf<C>]) -> Result<HashMap<LengthOf<C>, i64>, Self::Error> {
        let parents: Vec<C::Parent> = keys.iter().map(|key| key.of).collect();
        let counts: Vec<(Uuid, i64)> = of_parents::<C>(&self.viewer, &parents)
            .select_only()
            .column(C::PARENT)
            .expr(Expr::val(1).count())
            .group_by(C::PARENT)
            .into_tuple()
            .all(&self.db)
            .await?;
        let counts: HashMap<Uuid, i64> = counts.into_iter().collect();
        let count = |key: &LengthOf<C>| counts.get(&key.of.uuid()).copied().unwrap_or_default();
        Ok(keys.iter().map(|key| (key.clone(), count(key))).collect())
    }
}

fn of_parents<C: Children>(viewer: &Viewer, parents: &[C::Parent]) -> Select<C::Entity> {
    let of = C::PARENT.is_in(parents.iter().copied());
    C::Entity::find().filter(of).filter(C::seen_by(viewer))
}

/// The same part of several parents' lists, each cut to its own length, in the direction of reading.
async fn parts<C: Children>(
    db: &DatabaseConnection,
    viewer: &Viewer,
    parents: &[C::Parent],
    window: &Window,
) -> Result<Vec<RowOf<C>>, DbErr> {
    let rows = of_parents::<C>(viewer, parents);
    if parents.len() == 1 {
        return page::cut(rows, &C::ORDER, window).all(db).await;
    }
    let id = *C::ORDER.columns.last().expect("every order ends with the id");
    let mut within = WindowStatement::new();
    within.partition_by(C::PARENT.as_column_ref());
    for column in C::ORDER.columns {
        within.order_by(
            column.as_column_ref(),
            page::direction(&C::ORDER, window.backward),
        );
    }
    let mut numbered = page::between(rows, &C::ORDER, window)
        .select_only()
        .column_as(Expr::col(id.as_column_ref()), "id")
        .into_query();
    numbered.expr_window_as(Func::cust("ROW_NUMBER"), within, "place");
    let wanted = Query::select()
        .column("id")
        .from_subquery(numbered, "ranked")
        .and_where(Expr::col("place").lte(i64::try_from(window.size + 1).unwrap_or(i64::MAX)))
        .to_owned();
    let select = C::Entity::find().filter(id.in_subquery(wanted));
    page::sorted(select, &C::ORDER, window.backward).all(db).await
}

/// A page of one parent's list.
///
/// # Errors
/// `BAD_USER_INPUT` for arguments that cannot be, or a fault of the database.
pub async fn connection<C: Children, Node: ContainerType>(
    ask: &Arc<Ask>,
    list: C,
    of: C::Parent,
    args: PageArgs,
    node: impl Fn(RowOf<C>) -> Node,
) -> Result<Connection<Node>, Error> {
    let window = args.window(&ask.cursors, &C::ORDER)?;
    let key = PartOf {
        list,
        of,
        window: window.clone(),
    };
    let rows = ask
        .load(key)
        .await?
        .map(|rows| rows.as_ref().clone())
        .unwrap_or_default();
    let slice: Slice<RowOf<C>> = page::slice(rows, &window);
    let counting = Arc::clone(ask);
    let count = Count::new(move || {
        let ask = Arc::clone(&counting);
        Box::pin(async move { Ok(ask.load(LengthOf { list, of }).await?.unwrap_or_default()) })
    });
    Ok(page::connection(ask, &C::ORDER, slice, count, node))
}

/// All of one parent's list, up to [`LIST_MAX`].
///
/// # Errors
/// When the database fails.
pub async fn list<C: Children>(ask: &Ask, list: C, of: C::Parent) -> Result<Vec<RowOf<C>>, Error> {
    let key = PartOf {
        list,
        of,
        window: Window::first(LIST_MAX - 1),
    };
    Ok(ask
        .load(key)
        .await?
        .map(|rows| rows.as_ref().clone())
        .unwrap_or_default())
}
