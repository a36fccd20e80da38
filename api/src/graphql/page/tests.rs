use entity::{follow_up, lead};
use sea_orm::{DbBackend, QueryTrait};

use super::*;

const RECEIVED: Order<lead::Entity> = Order {
    name: "leads by received",
    columns: &[lead::Column::ReceivedAt, lead::Column::Id],
    descending: true,
};
const WORK: Order<follow_up::Entity> = Order {
    name: "work",
    columns: &[
        follow_up::Column::Rank,
        follow_up::Column::Weight,
        follow_up::Column::DueAt,
        follow_up::Column::Id,
    ],
    descending: false,
};

fn cursors() -> Cursors {
    Cursors::new(&Secrets::new([7; 32]))
}

fn place() -> Place {
    vec![Mark::Time(1_700_000_000_000_000), Mark::Id(Uuid::from_u128(9))]
}

fn code(error: &Error) -> Option<String> {
    error
        .extensions
        .as_ref()?
        .get("code")
        .map(|code| code.to_string().replace('"', ""))
}

#[test]
fn a_cursor_reads_back_in_its_own_list_only() {
    let cursor = cursors().write(RECEIVED.name, &place());
    assert_eq!(cursors().read(RECEIVED.name, &cursor), Some(place()));
    assert_eq!(cursors().read(WORK.name, &cursor), None, "another list");
    assert_eq!(
        Cursors::new(&Secrets::new([8; 32])).read(RECEIVED.name, &cursor),
        None,
        "another key"
    );
}

#[test]
fn a_cursor_that_was_changed_or_made_up_is_refused() {
    let cursor = cursors().write(RECEIVED.name, &place());
    for index in 0..cursor.len() {
        let mut changed = cursor.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(cursors().read(RECEIVED.name, &changed), None, "{index}");
    }
    for wrong in ["", "x", "b2Zmc2V0OjE=", "ÿ", &"A".repeat(5000)] {
        assert_eq!(cursors().read(RECEIVED.name, wrong), None);
    }
}

#[test]
fn arguments_that_cannot_be_name_themselves() {
    let window = |args: PageArgs| args.window(&cursors(), &RECEIVED);
    let both = window(PageArgs {
        first: Some(1),
        last: Some(1),
        ..PageArgs::default()
    })
    .unwrap_err();
    assert_eq!(code(&both).as_deref(), Some("BAD_USER_INPUT"));
    for wrong in [-1, 101] {
        assert!(
            window(PageArgs {
                first: Some(wrong),
                ..PageArgs::default()
            })
            .unwrap_err()
            .message
            .starts_with("first:")
        );
        assert!(
            window(PageArgs {
                last: Some(wrong),
                ..PageArgs::default()
            })
            .unwrap_err()
            .message
            .starts_with("last:")
        );
    }
    let unknown = window(PageArgs {
        after: Some("nonsense".to_owned()),
        ..PageArgs::default()
    })
    .unwrap_err();
    assert_eq!(code(&unknown).as_deref(), Some("BAD_USER_INPUT"));
    assert_eq!(window(PageArgs::default()).unwrap().size, 25);
    assert_eq!(
        window(PageArgs {
            first: Some(0),
            ..PageArgs::default()
        })
        .unwrap()
        .size,
        0
    );
}

fn sql<E: EntityTrait>(order: &Order<E>, window: &Window) -> String {
    let sql = cut(E::find(), order, window)
        .build(DbBackend::Postgres)
        .to_string();
    sql.split_once(" FROM ").unwrap().1.to_owned()
}

#[test]
fn the_newest_first_goes_down_and_its_end_goes_up() {
    let after = Window {
        after: Some(place()),
        ..Window::first(2)
    };
    let down = sql(&RECEIVED, &after);
    assert!(
        down.contains(r#"("lead"."received_at", "lead"."id") < ("#),
        "{down}"
    );
    assert!(
        down.ends_with(r#"ORDER BY "lead"."received_at" DESC, "lead"."id" DESC LIMIT 3"#),
        "{down}"
    );
    let end = Window {
        backward: true,
        before: Some(place()),
        ..Window::first(2)
    };
    let up = sql(&RECEIVED, &end);
    assert!(up.contains(r#"("lead"."received_at", "lead"."id") > ("#), "{up}");
    assert!(
        up.ends_with(r#"ORDER BY "lead"."received_at" ASC, "lead"."id" ASC LIMIT 3"#),
        "{up}"
    );
}

#[test]
fn the_work_list_goes_up_by_all_its_columns() {
    let marks = vec![
        Mark::Number(3),
        Mark::Number(-60),
        Mark::Time(5),
        Mark::Id(Uuid::from_u128(9)),
    ];
    let sql = sql(
        &WORK,
        &Window {
            after: Some(marks),
            ..Window::first(25)
        },
    );
    assert!(
        sql.contains(r#"("follow_up"."rank", "follow_up"."weight", "follow_up"."due_at", "follow_up"."id") > (3, -60, "#),
        "{sql}"
    );
}

#[test]
fn a_page_knows_whether_there_is_more_on_either_side() {
    let rows = slice(vec![1, 2, 3], &Window::first(2));
    assert_eq!(
        (rows.rows, rows.has_next, rows.has_previous),
        (vec![1, 2], true, false)
    );
    let rows = slice(
        vec![1, 2],
        &Window {
            after: Some(place()),
            ..Window::first(2)
        },
    );
    assert_eq!(
        (rows.rows, rows.has_next, rows.has_previous),
        (vec![1, 2], false, true)
    );
    let rows = slice(
        vec![9, 8, 7],
        &Window {
            backward: true,
            ..Window::first(2)
        },
    );
    assert_eq!(
        (rows.rows, rows.has_next, rows.has_previous),
        (vec![8, 9], false, true)
    );
    let none = slice(vec![1], &Window::first(0));
    assert_eq!((none.rows.len(), none.has_next), (0, true));
}

#[test]
fn a_page_costs_its_rows() {
    assert_eq!(cost(Some(10), None, 7), 71);
    assert_eq!(cost(None, Some(100), 7), 701);
    assert_eq!(cost(None, None, 2), 51);
    assert_eq!(cost(Some(i32::MAX), None, usize::MAX), usize::MAX);
    assert_eq!(cost(Some(-5), None, 3), 4);
}
