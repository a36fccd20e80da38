//! The digest of a version's content: what a reviewer approves, and what the gate compares with it.

use entity::template_version::{Body, Model};
use sha2::{Digest, Sha256};

/// The digest of everything that a mail is made of, in hexadecimal letters. Each part is led by its length, so that no
/// letter can move from one part to the next unseen.
#[must_use]
pub fn digest(default_language: &str, layout: &str, bodies: &[Body]) -> String {
    let mut sum = Sha256::new();
    let mut take = |part: &str| {
        sum.update((part.len() as u64).to_be_bytes());
        sum.update(part.as_bytes());
    };
    take("template content 1");
    take(default_language);
    take(layout);
    for body in bodies {
        let parts = [
            &body.language,
            &body.subject,
            &body.preheader,
            &body.html,
            &body.text,
        ];
        parts.into_iter().for_each(|part| take(part));
        take(&body.slots.len().to_string());
        for (name, words) in &body.slots {
            take(name);
            take(words);
        }
        take(body.written_text.as_deref().map_or("derived", |_| "written"));
        take(body.written_text.as_deref().unwrap_or_default());
    }
    hex::encode(sum.finalize())
}

/// The digest of a version as its row is now.
#[must_use]
pub fn digest_of(version: &Model) -> String {
    digest(&version.default_language, &version.layout, &version.bodies.0)
}

/// Whether mails may be made of a version: it is approved, and it is to the letter what was approved.
#[must_use]
pub fn is_approved(version: &Model) -> bool {
    version.state == entity::template_version::TemplateState::Approved
        && version.approved_sha256.as_deref() == Some(digest_of(version).as_str())
}
