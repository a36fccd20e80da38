//! INSERTs into several tables as one statement.
//!
//! An operation that writes to ten tables would wait for PostgreSQL ten times. PostgreSQL takes all of it as one
//! statement whose parts are named in a WITH clause, and looks at foreign keys at its end, so the order of the parts does
//! not matter there. SQLite knows no such statement and is in this process; it gets one part after another.

use sea_orm::sea_query::{CommonTableExpression, InsertStatement, WithClause};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryTrait};

/// INSERTs that are waiting to be written, in the order of the foreign keys.
#[derive(Default)]
pub(crate) struct Together {
    parts: Vec<InsertStatement>,
}

impl Together {
    /// Adds rows of one table; none add nothing.
    pub(crate) fn add<Row: ActiveModelTrait>(&mut self, rows: impl IntoIterator<Item = Row>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_some() {
            self.parts.push(Row::Entity::insert_many(rows).into_query());
        }
    }

    /// Writes everything that was added.
    ///
    /// # Errors
    /// When the database fails, or a constraint does not hold.
    pub(crate) async fn insert(mut self, conn: &impl ConnectionTrait) -> Result<(), DbErr> {
        if conn.get_database_backend() != DbBackend::Postgres {
            for part in &self.parts {
                conn.execute(part).await?;
            }
            return Ok(());
        }
        let Some(last) = self.parts.pop() else {
            return Ok(());
        };
        if self.parts.is_empty() {
            conn.execute(&last).await?;
            return Ok(());
        }
        let mut with = WithClause::new();
        for (place, part) in self.parts.into_iter().enumerate() {
            let mut named = CommonTableExpression::new();
            named.query(part).table_name(format!("part{place}"));
            with.cte(named);
        }
        conn.execute(&with.query(last)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use entity::id::{FacilityId, TeamId};
    use entity::{facility, team};
    use sea_orm::{IntoActiveModel, PaginatorTrait};

    use super::*;
    use crate::ground::Ground;
    use crate::id::new_id;

    fn place(ground: &Ground, id: FacilityId) -> facility::ActiveModel {
        let row = facility::Model {
            id,
            slug: "riverside".to_owned(),
            name: "Riverside".to_owned(),
            address_line: "1 Main St".to_owned(),
            city: "Columbus".to_owned(),
            region: "OH".to_owned(),
            postal_code: "43215".to_owned(),
            country: "US".to_owned(),
            time_zone: "America/New_York".to_owned(),
            phone: None,
            created_at: ground.h.now(),
        };
        row.into_active_model()
    }

    fn people(ground: &Ground, slug: &str, facility_id: FacilityId) -> team::ActiveModel {
        let row = team::Model {
            id: new_id::<TeamId>(ground.h.now()),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            facility_id: Some(facility_id),
            department_id: None,
            lead_id: None,
            is_review: false,
            created_at: ground.h.now(),
        };
        row.into_active_model()
    }

    #[tokio::test]
    async fn rows_of_several_tables_that_point_at_each_other_are_written() {
        let ground = Ground::at("2026-11-23T15:00:00Z").await;
        let before = team::Entity::find().count(&ground.h.db).await.unwrap();
        let id = new_id(ground.h.now());
        let mut together = Together::default();
        together.add([place(&ground, id)]);
        together.add(Vec::<facility::ActiveModel>::new());
        together.add([people(&ground, "days", id), people(&ground, "nights", id)]);
        together.insert(&ground.h.db).await.unwrap();
        let facilities = facility::Entity::find().count(&ground.h.db).await.unwrap();
        let teams = team::Entity::find().count(&ground.h.db).await.unwrap();
        assert_eq!((facilities, teams - before), (1, 2));
    }

    #[tokio::test]
    async fn a_row_that_points_at_nothing_is_refused() {
        let ground = Ground::at("2026-11-23T15:00:00Z").await;
        let mut together = Together::default();
        together.add([place(&ground, new_id(ground.h.now()))]);
        together.add([people(&ground, "days", new_id(ground.h.now()))]);
        assert!(together.insert(&ground.h.db).await.is_err());
    }

    #[tokio::test]
    async fn nothing_added_is_nothing_asked() {
        let ground = Ground::at("2026-11-23T15:00:00Z").await;
        Together::default().insert(&ground.h.db).await.unwrap();
    }
}
