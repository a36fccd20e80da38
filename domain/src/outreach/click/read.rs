//! What is shown of the links that were opened: each once, whoever came by and however often.

use chrono::{DateTime, Utc};
use entity::link_visit::{ClickReason, ClickVerdict, Model};

/// A link of a mail that was visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The link's mark.
    pub link: i32,
    /// When: the first visit of those that the verdict rests on.
    pub at: DateTime<Utc>,
    /// The best that can be said of its visits; none while they are too young to be judged.
    pub verdict: Option<ClickVerdict>,
    /// What that rests on.
    pub reason: Option<ClickReason>,
    /// How many visits there were, whoever made them.
    pub visits: i32,
}

/// The links that were visited, in the order of their first visits.
#[must_use]
pub fn opened(visits: &[Model]) -> Vec<Opened> {
    let mut in_order: Vec<&Model> = visits.iter().collect();
    in_order.sort_by_key(|visit| (visit.at, visit.id));
    let mut links: Vec<Opened> = Vec::new();
    for visit in in_order {
        let Some(known) = links.iter_mut().find(|known| known.link == visit.link) else {
            links.push(Opened {
                link: visit.link,
                at: visit.at,
                verdict: visit.verdict,
                reason: visit.reason,
                visits: 1,
            });
            continue;
        };
        known.visits += 1;
        if weight(visit.verdict) > weight(known.verdict) {
            (known.at, known.verdict, known.reason) = (visit.at, visit.verdict, visit.reason);
        }
    }
    links
}

/// What says more about a link says more about its reader.
const fn weight(verdict: Option<ClickVerdict>) -> u8 {
    match verdict {
        None => 0,
        Some(ClickVerdict::Scanner) => 1,
        Some(ClickVerdict::Unclear) => 2,
        Some(ClickVerdict::Human) => 3,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use entity::id::{LinkVisitId, MessageId};
    use entity::link_visit::VisitWay;
    use uuid::Uuid;

    use super::*;

    fn visit(link: i32, secs: i64, verdict: Option<ClickVerdict>) -> Model {
        Model {
            id: LinkVisitId(Uuid::from_u128(u128::from(secs.unsigned_abs()))),
            message_id: MessageId(Uuid::from_u128(1)),
            link,
            at: DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(secs),
            way: VisitWay::Navigated,
            verdict,
            reason: None,
        }
    }

    #[test]
    fn a_link_counts_once_and_by_the_best_that_is_known_of_it() {
        use ClickVerdict::{Human, Scanner};
        let visits = [
            visit(7, 300, Some(Human)),
            visit(7, 200, Some(Human)),
            visit(7, 1, Some(Scanner)),
            visit(8, 2, Some(Scanner)),
            visit(9, 400, None),
        ];
        let told: Vec<_> = opened(&visits)
            .iter()
            .map(|link| (link.link, link.at.timestamp(), link.verdict, link.visits))
            .collect();
        assert_eq!(
            told,
            [
                (7, 200, Some(Human), 3),
                (8, 2, Some(Scanner), 1),
                (9, 400, None, 1)
            ]
        );
    }
}
