//! In which time zones a contact may be.
//!
//! A phone's area code says where it was bought, not where it is, so it is not asked. A state often lies in two zones;
//! then both count, and a rule about local time has to hold in both.

use chrono_tz::{
    America::{
        Adak, Anchorage, Boise, Chicago, Denver, Detroit, Los_Angeles, Menominee, New_York, Phoenix,
        Puerto_Rico,
    },
    Pacific::{Chuuk, Guam, Honolulu, Majuro, Pago_Pago, Palau, Pohnpei},
    Tz,
};

/// States, the district, territories and associated states by their USPS code, with every zone in them by the official
/// boundaries (49 CFR part 71). Arizona has two clocks in summer, because the Navajo Nation changes to daylight time.
const ZONES_BY_STATE: [(&str, &[Tz]); 59] = [
    ("AK", &[Anchorage, Adak]),
    ("AL", &[Chicago]),
    ("AR", &[Chicago]),
    ("AS", &[Pago_Pago]),
    ("AZ", &[Phoenix, Denver]),
    ("CA", &[Los_Angeles]),
    ("CO", &[Denver]),
    ("CT", &[New_York]),
    ("DC", &[New_York]),
    ("DE", &[New_York]),
    ("FL", &[New_York, Chicago]),
    ("FM", &[Chuuk, Pohnpei]),
    ("GA", &[New_York]),
    ("GU", &[Guam]),
    ("HI", &[Honolulu]),
    ("IA", &[Chicago]),
    ("ID", &[Boise, Los_Angeles]),
    ("IL", &[Chicago]),
    ("IN", &[New_York, Chicago]),
    ("KS", &[Chicago, Denver]),
    ("KY", &[New_York, Chicago]),
    ("LA", &[Chicago]),
    ("MA", &[New_York]),
    ("MD", &[New_York]),
    ("ME", &[New_York]),
    ("MH", &[Majuro]),
    ("MI", &[Detroit, Menominee]),
    ("MN", &[Chicago]),
    ("MO", &[Chicago]),
    ("MP", &[Guam]),
    ("MS", &[Chicago]),
    ("MT", &[Denver]),
    ("NC", &[New_York]),
    ("ND", &[Chicago, Denver]),
    ("NE", &[Chicago, Denver]),
    ("NH", &[New_York]),
    ("NJ", &[New_York]),
    ("NM", &[Denver]),
    ("NV", &[Los_Angeles, Denver]),
    ("NY", &[New_York]),
    ("OH", &[New_York]),
    ("OK", &[Chicago]),
    ("OR", &[Los_Angeles, Boise]),
    ("PA", &[New_York]),
    ("PR", &[Puerto_Rico]),
    ("PW", &[Palau]),
    ("RI", &[New_York]),
    ("SC", &[New_York]),
    ("SD", &[Chicago, Denver]),
    ("TN", &[Chicago, New_York]),
    ("TX", &[Chicago, Denver]),
    ("UT", &[Denver]),
    ("VA", &[New_York]),
    ("VI", &[Puerto_Rico]),
    ("VT", &[New_York]),
    ("WA", &[Los_Angeles]),
    ("WI", &[Chicago]),
    ("WV", &[New_York]),
    ("WY", &[Denver]),
];

/// The zones a state lies in, by its USPS code in any case. `None` for anything else, military mail (`AA`, `AE`, `AP`)
/// included: it has no place.
#[must_use]
pub fn zones_of_state(code: &str) -> Option<&'static [Tz]> {
    let code = code.trim().to_ascii_uppercase();
    ZONES_BY_STATE
        .binary_search_by_key(&code.as_str(), |(state, _)| state)
        .ok()
        .map(|index| ZONES_BY_STATE[index].1)
}

/// Countries of their own in free association with the United States: their mail has USPS codes, but they lie so far
/// west that no waking hour is common to them and the East Coast.
const ASSOCIATED_STATES: [&str; 3] = ["FM", "MH", "PW"];

/// Every zone of the United States and its territories, each once: where a contact may be if nothing is known.
#[must_use]
pub fn us_zones() -> Vec<Tz> {
    let mut zones: Vec<Tz> = Vec::new();
    let own = ZONES_BY_STATE
        .iter()
        .filter(|(code, _)| !ASSOCIATED_STATES.contains(code));
    for zone in own.flat_map(|(_, zones)| zones.iter()) {
        if !zones.contains(zone) {
            zones.push(*zone);
        }
    }
    zones
}

/// The zones a contact may be in: the one the contact named, else those of the state, else that of the facility which
/// serves the lead. Never empty.
#[must_use]
pub fn possible_zones(named: Option<Tz>, state: Option<&str>, facility: Tz) -> Vec<Tz> {
    named
        .map(|zone| vec![zone])
        .or_else(|| state.and_then(zones_of_state).map(<[Tz]>::to_vec))
        .unwrap_or_else(|| vec![facility])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_and_the_table_is_in_order() {
        assert!(
            ZONES_BY_STATE.is_sorted_by(|a, b| a.0 < b.0),
            "the search needs order"
        );
        for (code, zones) in ZONES_BY_STATE {
            assert_eq!(zones_of_state(&format!(" {} ", code.to_lowercase())), Some(zones));
            assert!(!zones.is_empty());
        }
    }

    #[test]
    fn the_fifty_states_and_the_district_are_there() {
        let codes = "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY \
                     NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC";
        assert_eq!(codes.split_whitespace().count(), 51);
        for code in codes.split_whitespace() {
            assert!(zones_of_state(code).is_some(), "{code}");
        }
    }

    #[test]
    fn a_named_zone_wins_then_the_state_then_the_facility() {
        assert_eq!(possible_zones(Some(Honolulu), Some("FL"), Denver), [Honolulu]);
        assert_eq!(possible_zones(None, Some("fl"), Denver), [New_York, Chicago]);
        assert_eq!(possible_zones(None, Some("AE"), Denver), [Denver]);
        assert_eq!(possible_zones(None, Some("Ontario"), Denver), [Denver]);
        assert_eq!(possible_zones(None, None, Denver), [Denver]);
    }

    #[test]
    fn every_zone_of_the_country_is_listed_once() {
        let zones = us_zones();
        for zone in [
            New_York,
            Chicago,
            Denver,
            Los_Angeles,
            Anchorage,
            Adak,
            Honolulu,
            Phoenix,
            Puerto_Rico,
            Guam,
        ] {
            assert_eq!(
                zones.iter().filter(|listed| **listed == zone).count(),
                1,
                "{zone}"
            );
        }
    }
}
