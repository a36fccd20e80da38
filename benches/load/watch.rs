//! Sees what is asked of the database: every statement with its values and its time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sea_orm::{DatabaseConnection, Statement};

/// A statement that ran, with the time until its answer.
pub struct Ran {
    /// The statement.
    pub statement: Statement,
    /// From sending it to its answer.
    pub took: Duration,
}

/// What ran on a connection since the last look.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Vec<Ran>>>);

impl Watch {
    /// Watches this connection and its clones from now on.
    pub fn on(db: &mut DatabaseConnection) -> Self {
        let watch = Self::default();
        let seen = watch.clone();
        db.set_metric_callback(move |info| {
            seen.lock().push(Ran {
                statement: info.statement.clone(),
                took: info.elapsed,
            });
        });
        watch
    }

    /// What ran since the last call.
    pub fn take(&self) -> Vec<Ran> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Ran>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
