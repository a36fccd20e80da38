//! Keeps Liquid away from the readers of markup: each piece is a short word of letters and digits while MJML is read and
//! written, and is put back afterwards. Plain letters, because what writes the HTML escapes rarer characters in attributes.

use super::language::{Kind, Piece};

/// Around the number of a hidden piece.
const OPENS: &str = "lwq7";
const CLOSES: &str = "7qwl";

/// What to do about it.
pub(super) const TAKEN: &str = "The letters lwq7 cannot be used in a template.";

/// Whether a source has what marks are made of.
pub(super) fn is_taken(source: &str) -> bool {
    source.contains(OPENS)
}

/// The hidden pieces.
#[derive(Debug, Default)]
pub(super) struct Shield<'a> {
    hidden: Vec<(&'a str, bool)>,
}

impl<'a> Shield<'a> {
    /// Hides a piece and gives the mark that stands for it.
    pub(super) fn hide(&mut self, source: &'a str, piece: &Piece<'_>) -> String {
        let is_tag = piece.kind != Kind::Output;
        self.hidden.push((&source[piece.at.clone()], is_tag));
        format!("{OPENS}{}{CLOSES}", self.hidden.len() - 1)
    }

    /// Puts the pieces back. None when one was lost on the way, or when tags do not stand once each and in their order:
    /// then a condition stood where the markup has no room for it.
    pub(super) fn restore(&self, marked: &str) -> Option<String> {
        let mut restored = String::with_capacity(marked.len());
        let mut seen = vec![0_usize; self.hidden.len()];
        let mut last_tag = None;
        let mut rest = marked;
        while let Some((before, after)) = rest.split_once(OPENS) {
            let (number, after) = after.split_once(CLOSES)?;
            let number: usize = number.parse().ok()?;
            let (piece, is_tag) = *self.hidden.get(number)?;
            if is_tag {
                if last_tag.is_some_and(|last| last >= number) {
                    return None;
                }
                last_tag = Some(number);
            }
            *seen.get_mut(number)? += 1;
            restored.push_str(before);
            restored.push_str(piece);
            rest = after;
        }
        restored.push_str(rest);
        seen.iter().all(|times| *times > 0).then_some(restored)
    }

    /// Puts back those pieces whose marks are there. Whole parts may be missing, as a title in a plain text.
    pub(super) fn restore_some(&self, marked: &str) -> String {
        self.hidden
            .iter()
            .enumerate()
            .fold(marked.to_owned(), |text, (number, (piece, _))| {
                text.replace(&format!("{OPENS}{number}{CLOSES}"), piece)
            })
    }
}

/// Whether a mark stands at the start of a text, and how long it is in bytes.
pub(super) fn mark_len(text: &str) -> Option<usize> {
    text.starts_with(OPENS)
        .then(|| text.find(CLOSES).map(|at| at + CLOSES.len()))
        .flatten()
}
