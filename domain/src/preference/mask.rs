//! Addresses as their owners recognize them and others cannot read them.

/// A dot that stands for letters left out, whatever their number.
const HIDDEN: &str = "••";

/// `p••@example.net`: the first letter and the domain.
#[must_use]
pub fn email(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return HIDDEN.to_owned();
    };
    // Of a single letter nothing would be left to hide.
    let first = local.chars().next().filter(|_| local.chars().count() > 1);
    format!("{}{HIDDEN}@{domain}", first.map(String::from).unwrap_or_default())
}

/// `•• 0142`: the last four digits; of a number with fewer than eight, the last two.
#[must_use]
pub fn phone(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let shown = if digits.len() < 8 { 2 } else { 4 };
    let last: String = digits[digits.len().saturating_sub(shown)..].iter().collect();
    format!("{HIDDEN} {last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_first_letter_and_its_domain() {
        assert_eq!(email("pat.meyer@example.net"), "p••@example.net");
        assert_eq!(email("ñandú@example.net"), "ñ••@example.net");
        assert_eq!(email("p@example.net"), "••@example.net");
        assert_eq!(email("no address"), "••");
    }

    #[test]
    fn a_number_keeps_its_end() {
        assert_eq!(phone("+18605550142"), "•• 0142");
        assert_eq!(phone("+35012"), "•• 12");
        assert_eq!(phone(""), "•• ");
    }
}
