//! Dates as mails say them.

use chrono::{DateTime, Datelike, Weekday};
use chrono_tz::Tz;

const MONTHS_ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

/// The instant in words of the language: Spanish, or else English.
pub(super) fn spoken(at: DateTime<Tz>, language: &str) -> String {
    if language.split('-').next() != Some("es") {
        return at.format("%A, %B %-d, %Y at %-I:%M %p %Z").to_string();
    }
    let weekday = match at.weekday() {
        Weekday::Mon => "lunes",
        Weekday::Tue => "martes",
        Weekday::Wed => "miércoles",
        Weekday::Thu => "jueves",
        Weekday::Fri => "viernes",
        Weekday::Sat => "sábado",
        Weekday::Sun => "domingo",
    };
    let month = MONTHS_ES.get(at.month0() as usize).copied().unwrap_or_default();
    let (day, year, time) = (at.day(), at.year(), at.format("%-I:%M %p %Z"));
    format!("{weekday} {day} de {month} de {year}, {time}")
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn a_date_is_said_in_the_language_of_the_mail() {
        let at = chrono_tz::America::New_York
            .with_ymd_and_hms(2026, 12, 1, 14, 30, 0)
            .single()
            .unwrap();
        assert_eq!(spoken(at, "en-us"), "Tuesday, December 1, 2026 at 2:30 PM EST");
        assert_eq!(spoken(at, "es-mx"), "martes 1 de diciembre de 2026, 2:30 PM EST");
        assert_eq!(spoken(at, "fr"), "Tuesday, December 1, 2026 at 2:30 PM EST");
    }
}
