//! Clicks in mails: seen only of people who allow it, and counted only where all evidence speaks for a person.
//!
//! A promotional mail to a contact whose consent to `TRACKING` stands when it is claimed carries opaque links to this
//! installation in place of those to other pages. Nothing is stored for them: a token names the message and the link, and
//! the link is looked for in the text that the mail was made of. So there is nothing to redirect to but what a reviewer
//! approved. There is no pixel: that a mail was looked at is nobody's business.

mod follow;
pub mod judge;
mod read;
mod sweep;

use entity::enums::Purpose;
use entity::id::MessageId;
use entity::message::MessageKind;

use crate::hospital::Hospital;

pub use follow::{Followed, VISITS_MAX, look_up, record};
pub use read::{Opened, opened};
pub(crate) use sweep::forget;
pub use sweep::{JUDGE_MAX, judge_due};

/// The doors of this installation that people come to by links of mails. Each of them does what it does for its own
/// token, so no link to them is written in another way.
const OWN_DOORS: [&str; 5] = ["/u/", "/p/", "/c/", "/r/", "/g/"];

/// Whether the clicks in such a mail may be shown, if the contact allows it.
#[must_use]
pub fn may_show(kind: MessageKind, purpose: Purpose) -> bool {
    kind == MessageKind::Nurture && purpose == Purpose::Marketing
}

/// What a mail has as the address of a link to this target.
#[must_use]
pub fn address(h: &Hospital, message_id: MessageId, target: &str) -> String {
    let own = target.strip_prefix(h.site.public_url.as_str());
    if own.is_some_and(|path| OWN_DOORS.iter().any(|door| path.starts_with(door))) {
        return target.to_owned();
    }
    let token = h.secrets.link_token(message_id.0, h.secrets.link_mark(target));
    format!("{}/g/{token}", h.site.public_url)
}
