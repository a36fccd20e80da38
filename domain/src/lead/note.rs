//! What coordinators write beside their work: plain text, bounded, kept with the lead and never in a log.

use crate::error::{Code, Error, Refusal, Result};
use crate::readable::misleads_in_lines;

/// Longest note in characters.
pub const MAX_CHARS: usize = 2000;

/// Reads a note; blank is none.
///
/// # Errors
/// When it is longer than [`MAX_CHARS`] or holds control characters other than line breaks and tabs.
pub fn read(field: &str, text: Option<String>) -> Result<Option<String>> {
    check(field, text).map_err(|refusal| Error::Refused(vec![refusal]))
}

/// The same, for operations that collect what is wrong.
///
/// # Errors
/// As for [`read`].
pub fn check(field: &str, text: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.chars().nth(MAX_CHARS).is_some() {
        let message = format!("Write at most {MAX_CHARS} characters.");
        return Err(Refusal::new(Code::TooLarge, field, message));
    }
    if text.chars().any(misleads_in_lines) {
        return Err(Refusal::new(
            Code::Invalid,
            field,
            "This has characters that cannot be read.",
        ));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_trimmed_and_blank_is_none() {
        assert_eq!(
            check("note", Some("  called\n".to_owned())),
            Ok(Some("called".to_owned()))
        );
        assert_eq!(check("note", Some(" \n ".to_owned())), Ok(None));
        assert_eq!(check("note", None), Ok(None));
    }

    #[test]
    fn a_note_is_refused_one_character_beyond_the_limit() {
        assert!(check("note", Some("ü".repeat(MAX_CHARS))).is_ok());
        let refused = check("note", Some("ü".repeat(MAX_CHARS + 1))).unwrap_err();
        assert_eq!(
            (refused.code, refused.field),
            (Code::TooLarge, vec!["note".to_owned()])
        );
        assert_eq!(
            check("note", Some("a\0b".to_owned())).unwrap_err().code,
            Code::Invalid
        );
    }
}
