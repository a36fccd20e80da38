//! Which way a contact goes at a split.
//!
//! Nothing is thrown and nothing is kept: the way follows from the seed and the contact, so a restart, a second run or a
//! dry run leads the same contact the same way.

use entity::id::{ContactId, SequenceId};
use entity::sequence_version::Way;
use sha2::{Digest, Sha256};

#[cfg(test)]
mod tests;

/// A number that looks drawn, evenly spread over all contacts: the first 64 bits of SHA-256 over the seed and the
/// contact. Without a seed the sequence and the step are the seed.
#[must_use]
pub fn draw(seed: Option<&str>, sequence_id: SequenceId, step_key: &str, contact_id: ContactId) -> u64 {
    let mut hash = Sha256::new();
    match seed {
        Some(seed) => {
            hash.update(b"seed\0");
            hash.update(seed.as_bytes());
        }
        None => {
            hash.update(b"step\0");
            hash.update(sequence_id.0.as_bytes());
            hash.update(step_key.as_bytes());
        }
    }
    // A seed cannot hold this byte, so no two pairs of seed and contact read alike.
    hash.update(b"\0");
    hash.update(contact_id.0.as_bytes());
    let digest = hash.finalize();
    u64::from_be_bytes(std::array::from_fn(|index| digest[index]))
}

/// Key of the step that a draw leads to; none when no way has any weight.
#[must_use]
pub fn way(ways: &[Way], draw: u64) -> Option<&str> {
    let total: u64 = ways.iter().map(|way| u64::from(way.weight)).sum();
    // The draw as a fraction of all draws, times the weights: below `total`, and without a remainder's bias.
    let place = (u128::from(draw) * u128::from(total)) >> 64;
    let mut below = 0_u128;
    ways.iter()
        .find(|way| {
            below += u128::from(way.weight);
            place < below
        })
        .map(|way| way.then.as_str())
}
