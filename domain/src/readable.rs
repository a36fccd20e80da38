//! Characters that cannot be read, or that make other words be read than were written.

/// Whether a character is a control character, a line or paragraph separator, or turns the direction of what follows it:
/// by U+202E a name reads backwards wherever it is shown (Unicode UAX #9; CVE-2021-42574). The marks that Arabic and Hebrew
/// texts need, U+200E and U+200F, turn nothing.
#[must_use]
pub fn misleads(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The same for text of several lines, which may break and indent them.
#[must_use]
pub fn misleads_in_lines(c: char) -> bool {
    misleads(c) && !matches!(c, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_are_readable_and_turned_ones_are_not() {
        for name in ["Pat O'Neil", "Zoë", "محمد\u{200f}", "עדי", "李", "👩\u{200d}⚕️"] {
            assert!(!name.chars().any(misleads), "{name}");
        }
        for name in [
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{2028}b",
            "a\u{0}b",
            "a\nb",
            "a\u{85}b",
        ] {
            assert!(name.chars().any(misleads), "{name:?}");
        }
        assert!(!"two\r\n\tlines".chars().any(misleads_in_lines));
        assert!("two\u{202e}lines".chars().any(misleads_in_lines));
    }
}
