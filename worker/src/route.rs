//! The sending routes of this process: where they lead, what they may carry, and how they have answered of late.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::outreach::route::{Announced, NAME_MAX};
use domain::outreach::throttle::Rate;
use entity::message::Lane;
use tokio::time::Instant;

use crate::smtp::SmtpPool;

/// The name of the route that `SMTP_URL` makes.
pub const MAIN: &str = "main";

/// Batches grow while they take less than this, and shrink when they take longer.
const BATCH_GOAL: Duration = Duration::from_secs(2);
/// After this time an answer counts half for how fast a route is.
const HALF_LIFE: Duration = Duration::from_secs(30);
/// A route is slow for those who wait when it takes longer than this, and this many times longer than the best.
const SLOW: (Duration, u32) = (Duration::from_millis(200), 4);

/// A route as it is set up.
#[derive(Clone, Debug)]
pub struct RouteSetup {
    /// Its name: lower-case letters, digits and `-`, at most 40.
    pub name: String,
    /// The connections that lead there.
    pub pool: SmtpPool,
    /// The lanes that it carries.
    pub lanes: Vec<Lane>,
    /// Routes of a higher number are used when none of a lower number can be.
    pub priority: i32,
    /// Mails of a lane that go out by it at the same time; none for the lane's own number.
    pub concurrency: Option<usize>,
    /// How many mails may go.
    pub rate: Rate,
}

impl RouteSetup {
    /// A route for everything.
    #[must_use]
    pub fn main(pool: SmtpPool) -> Self {
        Self {
            name: MAIN.to_owned(),
            pool,
            lanes: vec![Lane::Waiting, Lane::Bulk],
            priority: 1,
            concurrency: None,
            rate: Rate::default(),
        }
    }

    /// What other processes have to know of it.
    pub(crate) fn announced(&self) -> Announced {
        Announced {
            name: self.name.clone(),
            serves_waiting: self.lanes.contains(&Lane::Waiting),
            serves_bulk: self.lanes.contains(&Lane::Bulk),
            priority: self.priority,
            per_second: self.rate.per_second,
            per_hour: self.rate.per_hour,
        }
    }
}

/// Whether a text can name a route.
#[must_use]
pub fn is_route_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= NAME_MAX && text.chars().all(letter)
}

/// A route with what this process has seen of it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) setup: RouteSetup,
    /// It could not be reached since the last batch began.
    down: AtomicBool,
    /// The last that is known of it is that it could not be reached.
    failing: AtomicBool,
    /// Messages claimed at once, by lane; 0 before the first batch.
    batches: [AtomicUsize; 2],
    answers: Mutex<Answers>,
}

/// How fast a route answers.
#[derive(Debug, Default)]
struct Answers {
    /// The mean, in seconds, with later answers counting more.
    mean_secs: f64,
    last: Option<Instant>,
    /// When each send that has no answer yet began.
    on_the_wire: HashMap<u64, Instant>,
    next: u64,
}

impl Route {
    pub(crate) fn new(setup: RouteSetup) -> Self {
        Self {
            setup,
            down: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            batches: [AtomicUsize::new(0), AtomicUsize::new(0)],
            answers: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.setup.name
    }

    pub(crate) fn serves(&self, lane: Lane) -> bool {
        self.setup.lanes.contains(&lane)
    }

    pub(crate) fn concurrency(&self, of_lane: usize) -> usize {
        self.setup.concurrency.unwrap_or(of_lane).max(1)
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Release);
    }

    /// Notes whether the last send found the mail server, and answers what was noted before.
    pub(crate) fn set_failing(&self, failing: bool) -> bool {
        self.failing.swap(failing, Ordering::AcqRel)
    }

    pub(crate) fn is_down(&self) -> bool {
        self.down.load(Ordering::Acquire)
    }

    /// How many messages to claim: as many as it has lately carried in a moment, so that a slow route does not sit on
    /// mail that another could carry.
    pub(crate) fn batch(&self, lane: Lane, concurrency: usize, most: usize) -> usize {
        let known = self.batches[place(lane)].load(Ordering::Relaxed);
        known.max(concurrency).min(most).max(1)
    }

    /// Learns from a batch.
    pub(crate) fn learn(&self, lane: Lane, asked: usize, took: Duration) {
        let next = if took < BATCH_GOAL { asked * 2 } else { asked / 2 };
        self.batches[place(lane)].store(next, Ordering::Relaxed);
    }

    /// A send begins; the number is for [`Route::answered`].
    pub(crate) fn begins(&self) -> u64 {
        let mut answers = self.answers();
        let id = answers.next;
        answers.next += 1;
        answers.on_the_wire.insert(id, Instant::now());
        id
    }

    /// A send ended.
    pub(crate) fn answered(&self, id: u64) -> Duration {
        let mut answers = self.answers();
        let now = Instant::now();
        let took = answers
            .on_the_wire
            .remove(&id)
            .map_or(Duration::ZERO, |began| now - began);
        let weight = if answers.last.is_none() { 1.0 } else { 0.2 };
        answers.mean_secs += weight * (took.as_secs_f64() - answers.mean_secs);
        answers.last = Some(now);
        took
    }

    /// How long an answer takes now: the mean, which fades when nothing is sent, or the age of the oldest send that has
    /// none yet.
    pub(crate) fn pace(&self) -> Duration {
        let answers = self.answers();
        let now = Instant::now();
        let idle = answers.last.map_or(0.0, |last| (now - last).as_secs_f64());
        let mean = answers.mean_secs * 0.5_f64.powf(idle / HALF_LIFE.as_secs_f64());
        let oldest = answers
            .on_the_wire
            .values()
            .min()
            .map_or(Duration::ZERO, |began| now - *began);
        Duration::from_secs_f64(mean.max(0.0)).max(oldest)
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether those who wait are better off without a route, seeing how fast the best one answers.
pub(crate) fn is_slow(pace: Duration, best: Duration) -> bool {
    pace > SLOW.0 && pace > best * SLOW.1
}

const fn place(lane: Lane) -> usize {
    match lane {
        Lane::Waiting => 0,
        Lane::Bulk => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> Route {
        let pool = SmtpPool::new("smtp://127.0.0.1:1".parse().unwrap()).unwrap();
        Route::new(RouteSetup::main(pool))
    }

    #[tokio::test(start_paused = true)]
    async fn a_route_that_does_not_answer_is_slow_before_it_answers() {
        let route = route();
        let first = route.begins();
        tokio::time::advance(Duration::from_millis(20)).await;
        assert_eq!(route.answered(first), Duration::from_millis(20));
        assert!(
            !is_slow(route.pace(), Duration::from_millis(1)),
            "20 ms is fast enough for anybody"
        );
        route.begins();
        tokio::time::advance(Duration::from_secs(3)).await;
        assert!(is_slow(route.pace(), Duration::from_millis(20)));
        assert!(
            !is_slow(route.pace(), Duration::from_secs(1)),
            "the others are no better"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_slow_is_tried_again_after_a_while() {
        let route = route();
        let id = route.begins();
        tokio::time::advance(Duration::from_secs(5)).await;
        route.answered(id);
        assert!(is_slow(route.pace(), Duration::ZERO));
        tokio::time::advance(Duration::from_secs(120)).await;
        assert!(
            !is_slow(route.pace(), Duration::from_millis(100)),
            "{:?}",
            route.pace()
        );
    }

    #[test]
    fn batches_grow_while_they_are_quick() {
        let route = route();
        let mut asked = Vec::new();
        for took in [0, 0, 0, 5, 5, 5] {
            let batch = route.batch(Lane::Bulk, 64, 500);
            asked.push(batch);
            route.learn(Lane::Bulk, batch, Duration::from_secs(took));
        }
        assert_eq!(asked, [64, 128, 256, 500, 250, 125]);
    }

    #[test]
    fn names_can_stand_in_keys() {
        assert!(
            is_route_name("bulk-2") && !is_route_name("Bulk") && !is_route_name("") && !is_route_name("a/b")
        );
    }
}
