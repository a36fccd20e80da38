//! Two made-up people that templates are tried on: one of whom everything is known, one of whom nearly nothing is.

use chrono::TimeZone;

use super::MailFacts;

/// An address that occurs nowhere else.
pub const UNSUBSCRIBE_URL: &str = "https://example.org/u/sample";
/// Another address that occurs nowhere else.
pub const PREFERENCES_URL: &str = "https://example.org/p/sample";
/// Another address that occurs nowhere else.
pub const FINISH_URL: &str = "https://example.org/r/sample";
/// A postal address that occurs nowhere else.
pub const POSTAL_ADDRESS: &str = "1 Sample Street, Springfield";

/// A person of whom everything is known.
#[must_use]
pub fn everything_known() -> MailFacts<'static> {
    MailFacts {
        given_name: "Alex",
        family_name: "Sample",
        facility_name: "Main Campus",
        facility_phone: "+1-202-555-0143",
        service_line_name: Some("General Care"),
        appointment_at: chrono_tz::America::New_York
            .with_ymd_and_hms(2026, 12, 1, 14, 30, 0)
            .single(),
        ..little_known()
    }
}

/// A person of whom nearly nothing is known.
#[must_use]
pub fn little_known() -> MailFacts<'static> {
    MailFacts {
        given_name: "",
        family_name: "",
        facility_name: "",
        facility_phone: "",
        service_line_name: None,
        appointment_at: None,
        unsubscribe_url: UNSUBSCRIBE_URL,
        preferences_url: PREFERENCES_URL,
        finish_url: FINISH_URL,
        postal_address: POSTAL_ADDRESS,
        hospital_name: "The hospital",
        team_name: "Intake",
    }
}

/// Both.
#[must_use]
pub fn both() -> [MailFacts<'static>; 2] {
    [everything_known(), little_known()]
}
