//! Clients that ask again and again at the same time, and how long they waited.

use std::fmt;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::Result;

/// Clients of every measurement with many at once.
pub const CLIENTS: usize = 16;
/// Time before a measurement begins, for caches, plans and connections.
const WARM_UP: Duration = Duration::from_secs(2);
/// Time of a measurement.
pub const MEASURED: Duration = Duration::from_secs(10);

/// One client.
pub trait Client: Send + 'static {
    /// Asks once and waits for the answer.
    fn ask(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// How many asked in which time, and how long each waited.
pub struct Load {
    /// Answers a second.
    pub per_sec: f64,
    waits: Histogram<u64>,
}

impl Load {
    /// The wait that this share of the requests did not exceed, in milliseconds.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        self.waits.value_at_quantile(share) as f64 / 1000.0
    }

    /// Of single runs, one after another.
    pub fn of_runs(runs: &[Duration]) -> Result<Self> {
        let mut waits = histogram()?;
        for run in runs {
            waits.saturating_record(micros(*run));
        }
        let total: Duration = runs.iter().sum();
        Ok(Self {
            per_sec: runs.len() as f64 / total.as_secs_f64(),
            waits,
        })
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {:.1} ms, p99 {:.1} ms",
            self.quantile_ms(0.5),
            self.quantile_ms(0.99)
        )
    }
}

/// Lets the clients ask for the time of a measurement. `at_begin` is called when the warm-up is over.
pub async fn load<C: Client>(clients: Vec<C>, at_begin: impl FnOnce() -> Result<()>) -> Result<Load> {
    let begin = Instant::now() + WARM_UP;
    let end = begin + MEASURED;
    let mut running = JoinSet::new();
    for mut client in clients {
        running.spawn(async move {
            let mut waits = histogram()?;
            loop {
                let asked = Instant::now();
                client.ask().await?;
                let answered = Instant::now();
                if answered >= end {
                    return Ok::<_, crate::Failure>(waits);
                }
                if answered >= begin {
                    waits.saturating_record(micros(answered - asked));
                }
            }
        });
    }
    tokio::time::sleep_until(begin.into()).await;
    at_begin()?;
    let mut waits = histogram()?;
    while let Some(ended) = running.join_next().await {
        waits.add(ended??)?;
    }
    Ok(Load {
        per_sec: waits.len() as f64 / MEASURED.as_secs_f64(),
        waits,
    })
}

/// Microseconds up to a minute, to three digits.
fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
