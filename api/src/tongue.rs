//! The languages that the public pages speak, and how one is chosen.

use chrono::{Datelike, NaiveDate};
use poem::http::header;
use poem::{FromRequest, Request, RequestBody};

/// Most entries of `Accept-Language` that are looked at; browsers send a handful.
const MAX_ENTRIES: usize = 20;

const MESES: [&str; 12] = [
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

/// A language that the public pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tongue {
    /// English, also for those whose language is not spoken here.
    #[default]
    English,
    /// Spanish.
    Spanish,
}

impl Tongue {
    /// The language of a BCP 47 tag, if it is spoken here.
    pub fn spoken(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default().trim();
        [Self::English, Self::Spanish]
            .into_iter()
            .find(|tongue| tongue.tag().eq_ignore_ascii_case(primary))
    }

    /// The language of a BCP 47 tag; English for those not spoken here.
    pub fn of(tag: &str) -> Self {
        Self::spoken(tag).unwrap_or_default()
    }

    /// What the browser would rather read, by `Accept-Language` (RFC 9110, section 12.5.4).
    pub fn asked_by(req: &Request) -> Self {
        req.header(header::ACCEPT_LANGUAGE)
            .map_or_else(Self::default, preferred)
    }

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// A day as people write it: `March 5, 2026`, `5 de marzo de 2026`.
    pub fn day(self, day: NaiveDate) -> String {
        match self {
            Self::English => day.format("%B %-d, %Y").to_string(),
            Self::Spanish => {
                let mes = MESES.get(day.month0() as usize).copied().unwrap_or_default();
                format!("{} de {mes} de {}", day.day(), day.year())
            }
        }
    }
}

/// The language spoken here that stands highest in the list; of two that stand equal, the first.
fn preferred(list: &str) -> Tongue {
    let mut best: Option<(Tongue, f32)> = None;
    for entry in list.split(',').take(MAX_ENTRIES) {
        let mut parts = entry.split(';').map(str::trim);
        let Some(tongue) = parts.next().and_then(Tongue::spoken) else {
            continue;
        };
        let quality = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if quality > best.map_or(0.0, |(_, quality)| quality) {
            best = Some((tongue, quality));
        }
    }
    best.map(|(tongue, _)| tongue).unwrap_or_default()
}

impl<'a> FromRequest<'a> for Tongue {
    async fn from_request(req: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::asked_by(req))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_wish_decides_by_weight_and_then_by_place() {
        for (list, tongue) in [
            ("es", Tongue::Spanish),
            ("es-MX,es;q=0.9,en;q=0.8", Tongue::Spanish),
            ("en-US,en;q=0.9,es;q=0.8", Tongue::English),
            ("en;q=0.5, es;q=0.7", Tongue::Spanish),
            ("fr, es;q=0.1", Tongue::Spanish),
            ("fr, de", Tongue::English),
            ("es;q=0, fr", Tongue::English),
            ("es;q=nonsense", Tongue::English),
            ("", Tongue::English),
        ] {
            assert_eq!(preferred(list), tongue, "{list}");
        }
    }

    #[test]
    fn days_are_written_in_the_language() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 5).unwrap();
        assert_eq!(Tongue::English.day(day), "March 5, 2026");
        assert_eq!(Tongue::Spanish.day(day), "5 de marzo de 2026");
        let day = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();
        assert_eq!(Tongue::Spanish.day(day), "31 de diciembre de 2026");
    }
}
