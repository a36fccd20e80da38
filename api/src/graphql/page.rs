//! Pages of lists: Relay's arguments, keyset cursors, and the one statement that reads a page.
//!
//! A cursor is the place of a row in its list, the values that the list is ordered by, signed so that it can neither be
//! read as something else nor be made up. Pages do not shift when rows come or go, and the hundredth page costs what the
//! first one does.

use std::sync::Arc;

use async_graphql::connection::{Connection as Relay, CursorType, Edge, EmptyFields};
use async_graphql::resolver_utils::ContainerType;
use async_graphql::{Error, Object};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeZone, Utc};
use domain::db::union_of_ids;
use domain::link::Secrets;
use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::sea_query::{Expr, ExprTrait, Order as Direction};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ModelTrait, PartialModelTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, Value,
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::ask::Ask;
use super::at_once::AtOnce;
use super::errors::{Told, bad_argument};

#[cfg(test)]
mod tests;

/// Most rows of a page.
pub const PAGE_MAX: i32 = 100;
/// Rows of a page when neither `first` nor `last` says.
pub const PAGE_DEFAULT: i32 = 25;
/// Bytes of a cursor's signature.
const TAG_BYTES: usize = 8;
/// Longest cursor that is looked at.
const CURSOR_MAX: usize = 1024;

/// A page of a list, with its total on demand.
pub type Connection<Node> = Relay<Cursor, AtOnce<Node>, Count, EmptyFields>;

/// The order of a list. The last column is the id, so that no two rows have one place.
#[derive(Clone, Copy, Debug)]
pub struct Order<E: EntityTrait> {
    /// Names the list and its order inside cursors: a cursor of another list or order is refused.
    pub name: &'static str,
    /// What the list is ordered by, all in one direction.
    pub columns: &'static [E::Column],
    /// Whether the largest comes first.
    pub descending: bool,
}

/// One value of a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mark {
    /// An instant in microseconds.
    #[serde(rename = "t")]
    Time(i64),
    /// A number.
    #[serde(rename = "n")]
    Number(i64),
    /// A text.
    #[serde(rename = "s")]
    Text(String),
    /// An id.
    #[serde(rename = "i")]
    Id(Uuid),
}

impl Mark {
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::ChronoDateTimeUtc(Some(at)) => Some(Self::Time(at.timestamp_micros())),
            Value::Int(Some(number)) => Some(Self::Number(number.into())),
            Value::BigInt(Some(number)) => Some(Self::Number(number)),
            Value::String(Some(text)) => Some(Self::Text(text)),
            Value::Uuid(Some(id)) => Some(Self::Id(id)),
            _ => None,
        }
    }

    fn expr(&self) -> Expr {
        match self {
            Self::Time(micros) => Expr::val(instant(*micros)),
            Self::Number(number) => Expr::val(*number),
            Self::Text(text) => Expr::val(text.as_str()),
            Self::Id(id) => Expr::val(*id),
        }
    }
}

fn instant(micros: i64) -> DateTime<Utc> {
    Utc.timestamp_micros(micros).single().unwrap_or_default()
}

/// The place of a row in its list.
pub type Place = Vec<Mark>;

/// What part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Rows at the most.
    pub size: u64,
    /// Whether the page is taken from the list's end.
    pub backward: bool,
    /// Only what comes after this place.
    pub after: Option<Place>,
    /// Only what comes before this place.
    pub before: Option<Place>,
}

impl Window {
    /// The first `size` rows.
    pub const fn first(size: u64) -> Self {
        Self {
            size,
            backward: false,
            after: None,
            before: None,
        }
    }
}

/// Relay's four arguments, as they were sent.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    /// Rows from the start.
    pub first: Option<i32>,
    /// Cursor after which to start.
    pub after: Option<String>,
    /// Rows from the end.
    pub last: Option<i32>,
    /// Cursor before which to end.
    pub before: Option<String>,
}

impl PageArgs {
    /// Reads the arguments for a list of this order.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the argument: negative, too many, both directions at once, or a cursor of something else.
    pub fn window<E: EntityTrait>(&self, cursors: &Cursors, order: &Order<E>) -> Result<Window, Error> {
        if self.first.is_some() && self.last.is_some() {
            return Err(bad_argument("last", "Use either first or last, not both."));
        }
        let place = |argument: &str, cursor: &Option<String>| {
            let read = |text: &String| {
                let place = cursors
                    .read(order.name, text)
                    .filter(|place| place.len() == order.columns.len());
                place.ok_or_else(|| bad_argument(argument, "This is not a cursor of this list."))
            };
            cursor.as_ref().map(read).transpose()
        };
        let size = size("first", self.first)?.or(size("last", self.last)?);
        Ok(Window {
            size: size.unwrap_or(PAGE_DEFAULT as u64),
            backward: self.last.is_some(),
            after: place("after", &self.after)?,
            before: place("before", &self.before)?,
        })
    }
}

fn size(argument: &str, wanted: Option<i32>) -> Result<Option<u64>, Error> {
    match wanted {
        None => Ok(None),
        Some(number @ 0..=PAGE_MAX) => Ok(u64::try_from(number).ok()),
        Some(_) => Err(bad_argument(argument, "Ask for 0 to 100.")),
    }
}

/// How many fields a page costs: those of one row, for as many rows as may come.
pub fn cost(first: Option<i32>, last: Option<i32>, child: usize) -> usize {
    let rows = first.or(last).unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    child
        .saturating_mul(usize::try_from(rows).unwrap_or(1))
        .saturating_add(1)
}

/// Reads and writes cursors.
#[derive(Clone)]
pub struct Cursors {
    key: [u8; 32],
}

impl Cursors {
    /// Cursors signed with the installation's key.
    pub fn new(secrets: &Secrets) -> Self {
        Self {
            key: secrets.derive("cursor"),
        }
    }

    /// The cursor of a place in a list.
    pub fn write(&self, list: &str, place: &Place) -> String {
        let body = serde_json::to_vec(&(list, place)).expect("texts, numbers and ids can always be written");
        let mut bytes = self.tag(&body).to_vec();
        bytes.extend(body);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a cursor of this list stands for; none for any other text.
    pub fn read(&self, list: &str, cursor: &str) -> Option<Place> {
        if cursor.len() > CURSOR_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, body) = bytes.split_first_chunk::<TAG_BYTES>()?;
        let genuine: bool = self.tag(body).ct_eq(tag).into();
        if !genuine {
            return None;
        }
        let (of, place): (String, Place) = serde_json::from_slice(body).ok()?;
        (of == list).then_some(place)
    }

    fn tag(&self, body: &[u8]) -> [u8; TAG_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(body);
        let full = mac.finalize().into_bytes();
        std::array::from_fn(|index| full[index])
    }
}

/// The cursor of a row. It is signed when it is told, which most cursors of a page never are.
#[derive(Clone)]
pub struct Cursor {
    cursors: Cursors,
    list: &'static str,
    place: Place,
}

impl CursorType for Cursor {
    type Error = &'static str;

    /// Only [`PageArgs`] reads cursors: it knows the list and the key.
    fn decode_cursor(_: &str) -> Result<Self, Self::Error> {
        Err("a cursor is read with its list")
    }

    fn encode_cursor(&self) -> String {
        self.cursors.write(self.list, &self.place)
    }
}

/// A row of a list of `E`, read as a whole or in part.
pub trait Placed<E: EntityTrait> {
    /// What the list is ordered by; none for a column that was not read, which no order may name.
    fn value(&self, column: E::Column) -> Option<Value>;
}

impl<Row: ModelTrait> Placed<Row::Entity> for Row {
    fn value(&self, column: <Row::Entity as EntityTrait>::Column) -> Option<Value> {
        Some(self.get(column))
    }
}

/// The part of a list that a window shows, ordered and cut, with one row more that tells whether there are others.
pub fn cut<E: EntityTrait>(select: Select<E>, order: &Order<E>, window: &Window) -> Select<E> {
    let select = sorted(between(select, order, window), order, window.backward);
    select.limit(window.size + 1)
}

/// Only the rows between the window's cursors.
pub fn between<E: EntityTrait>(mut select: Select<E>, order: &Order<E>, window: &Window) -> Select<E> {
    let columns = || {
        Expr::tuple(
            order
                .columns
                .iter()
                .map(|column| Expr::col(column.as_column_ref())),
        )
    };
    let values = |place: &Place| Expr::tuple(place.iter().map(Mark::expr));
    // What comes later in the list is larger, unless the largest comes first.
    for (place, later) in [(&window.after, true), (&window.before, false)] {
        let Some(place) = place else { continue };
        let larger = later != order.descending;
        let values = values(place);
        select = select.filter(if larger {
            columns().gt(values)
        } else {
            columns().lt(values)
        });
    }
    select
}

/// The direction in which a window is read.
pub fn direction<E: EntityTrait>(order: &Order<E>, backward: bool) -> Direction {
    if order.descending == backward {
        Direction::Asc
    } else {
        Direction::Desc
    }
}

/// The rows in the direction of reading.
pub fn sorted<E: EntityTrait>(mut select: Select<E>, order: &Order<E>, backward: bool) -> Select<E> {
    for column in order.columns {
        select = select.order_by(*column, direction(order, backward));
    }
    select
}

/// Rows of a page, in the list's order.
#[derive(Clone, Debug)]
pub struct Slice<Row> {
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether others follow.
    pub has_next: bool,
    /// Whether others come before.
    pub has_previous: bool,
}

/// Makes a page of what [`cut`] found.
pub fn slice<Row>(mut rows: Vec<Row>, window: &Window) -> Slice<Row> {
    let more = rows.len() as u64 > window.size;
    rows.truncate(usize::try_from(window.size).unwrap_or(usize::MAX));
    if window.backward {
        rows.reverse();
        return Slice {
            rows,
            has_next: window.before.is_some(),
            has_previous: more,
        };
    }
    Slice {
        rows,
        has_next: more,
        has_previous: window.after.is_some(),
    }
}

/// The connection of a page that was read.
pub fn connection<E, Row, Node>(
    ask: &Ask,
    order: &Order<E>,
    slice: Slice<Row>,
    count: Count,
    node: impl Fn(Row) -> Node,
) -> Connection<Node>
where
    E: EntityTrait,
    Row: Placed<E>,
    Node: ContainerType,
{
    let mut connection = Connection::with_additional_fields(slice.has_previous, slice.has_next, count);
    connection.edges.extend(slice.rows.into_iter().map(|row| {
        let values = order.columns.iter().filter_map(|column| row.value(*column));
        let cursor = Cursor {
            cursors: ask.cursors.clone(),
            list: order.name,
            place: values.filter_map(Mark::of).collect(),
        };
        Edge::new(cursor, AtOnce(node(row)))
    }));
    connection
}

/// Reads a page of a list in one statement; its total in another one if somebody asks.
///
/// # Errors
/// `BAD_USER_INPUT` for arguments that cannot be, or a fault of the database.
pub async fn page<E, Node>(
    ask: &Arc<Ask>,
    select: Select<E>,
    order: &Order<E>,
    args: PageArgs,
    node: impl Fn(E::Model) -> Node,
) -> Result<Connection<Node>, Error>
where
    E: EntityTrait,
    E::Model: Send + Sync,
    Node: ContainerType,
{
    let window = args.window(&ask.cursors, order)?;
    let rows = cut(select.clone(), order, &window);
    read(ask, rows, select, order, &window, node).await
}

/// As [`page`], of a list that is put together of pieces.
///
/// No row is in two of them, and an index gives each in the list's order, where it would not give the whole: somebody's own
/// rows and those of their teams, for example.
///
/// # Errors
/// As [`page`].
pub async fn page_of_pieces<E, Node>(
    ask: &Arc<Ask>,
    select: Select<E>,
    pieces: Vec<Condition>,
    order: &Order<E>,
    args: PageArgs,
    node: impl Fn(E::Model) -> Node,
) -> Result<Connection<Node>, Error>
where
    E: EntityTrait,
    E::Model: Send + Sync,
    Node: ContainerType,
{
    let window = args.window(&ask.cursors, order)?;
    let rows = cut_of_pieces(&select, pieces, order, &window);
    read(ask, rows, select, order, &window, node).await
}

/// The page of these rows of a list.
async fn read<E, Node>(
    ask: &Arc<Ask>,
    rows: Select<E>,
    list: Select<E>,
    order: &Order<E>,
    window: &Window,
    node: impl Fn(E::Model) -> Node,
) -> Result<Connection<Node>, Error>
where
    E: EntityTrait,
    E::Model: Send + Sync,
    Node: ContainerType,
{
    let rows = rows.all(ask.db()).await.told(ask)?;
    let count = count(ask, list);
    Ok(connection(ask, order, slice(rows, window), count, node))
}

fn cut_of_pieces<E: EntityTrait>(
    select: &Select<E>,
    pieces: Vec<Condition>,
    order: &Order<E>,
    window: &Window,
) -> Select<E> {
    let ends = pieces
        .into_iter()
        .map(|piece| cut(select.clone().filter(piece), order, window));
    let id = *order.columns.last().expect("every order ends with the id");
    let of_pieces = E::find().filter(id.in_subquery(union_of_ids(id, ends)));
    sorted(of_pieces, order, window.backward).limit(window.size + 1)
}

/// As [`page`], but reads only the columns that a row of this kind has.
///
/// # Errors
/// As [`page`].
pub async fn partial_page<E, Row, Node>(
    ask: &Arc<Ask>,
    select: Select<E>,
    order: &Order<E>,
    args: PageArgs,
    node: impl Fn(Row) -> Node,
) -> Result<Connection<Node>, Error>
where
    E: EntityTrait,
    E::Model: Send + Sync,
    Row: PartialModelTrait + Placed<E> + Send + Sync,
    Node: ContainerType,
{
    let window = args.window(&ask.cursors, order)?;
    let rows = cut(select.clone(), order, &window)
        .into_partial_model::<Row>()
        .all(ask.db())
        .await
        .told(ask)?;
    let count = count(ask, select);
    Ok(connection(ask, order, slice(rows, &window), count, node))
}

/// The total of a list.
fn count<E>(ask: &Arc<Ask>, select: Select<E>) -> Count
where
    E: EntityTrait,
    E::Model: Send + Sync,
{
    let ask = Arc::clone(ask);
    Count::new(move || {
        let (select, ask) = (select.clone(), Arc::clone(&ask));
        Box::pin(async move {
            let count = select
                .select_only()
                .expr(Expr::val(1).count())
                .into_tuple::<i64>();
            Ok(count.one(ask.db()).await.told(&ask)?.unwrap_or_default())
        })
    })
}

type Counter = dyn Fn() -> BoxFuture<'static, Result<i64, Error>> + Send + Sync;

/// A total that is counted only when it is asked for.
pub struct Count(Box<Counter>);

impl Count {
    /// A total by this count.
    pub fn new(counter: impl Fn() -> BoxFuture<'static, Result<i64, Error>> + Send + Sync + 'static) -> Self {
        Self(Box::new(counter))
    }
}

/// What a connection has besides Relay's own fields.
#[Object]
impl Count {
    /// How many there are in all, whatever the page. Counted only when asked for.
    async fn total_count(&self) -> Result<i64, Error> {
        (self.0)().await
    }
}
