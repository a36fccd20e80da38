//! How a visit began, as a page tells it when it submits a lead.

use async_graphql::{Enum, InputObject};
use domain::lead::visit::Visit;
use url::form_urlencoded;

use crate::forms::visit::{host_of, path_of};

/// How the visit began.
#[derive(InputObject, Default)]
pub struct VisitInput {
    /// Path or address of the first page. Of its query only campaign parameters, codes and click ids are looked at, and
    /// only its path is kept.
    landing_page: Option<String>,
    /// Host or address of the page before. Only the host is kept.
    referrer: Option<String>,
    /// Campaign parameters, when the landing page's query does not tell them.
    utm: Option<UtmInput>,
    /// Code on a mail piece, event list or placement.
    source_code: Option<String>,
    /// Click ids of ad platforms. The most telling one counts, and only its hash is kept.
    #[graphql(default)]
    click_ids: Vec<ClickIdInput>,
}

/// Campaign parameters.
#[derive(InputObject, Default)]
pub struct UtmInput {
    /// `utm_source`.
    source: Option<String>,
    /// `utm_medium`.
    medium: Option<String>,
    /// `utm_campaign`.
    campaign: Option<String>,
    /// `utm_term`.
    term: Option<String>,
    /// `utm_content`.
    content: Option<String>,
    /// `utm_id`.
    id: Option<String>,
}

/// Kinds of click ids.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickIdKind {
    /// Google Ads.
    Gclid,
    /// Google Ads, from an app to the web.
    Gbraid,
    /// Google Ads, from the web to an app.
    Wbraid,
    /// Microsoft Advertising.
    Msclkid,
    /// Meta.
    Fbclid,
}

impl ClickIdKind {
    const fn parameter(self) -> &'static str {
        match self {
            Self::Gclid => "gclid",
            Self::Gbraid => "gbraid",
            Self::Wbraid => "wbraid",
            Self::Msclkid => "msclkid",
            Self::Fbclid => "fbclid",
        }
    }
}

/// A click id of an ad platform.
#[derive(InputObject)]
pub struct ClickIdInput {
    /// Which platform's.
    kind: ClickIdKind,
    /// The id.
    value: String,
}

impl VisitInput {
    /// What is said outright counts before what the landing page's query says.
    pub(super) fn read(self) -> Visit {
        let mut visit = Visit::default();
        if let Some(page) = &self.landing_page {
            visit.landing_page = path_of(page);
            let query = page
                .split_once('?')
                .map_or("", |(_, query)| query.split('#').next().unwrap_or_default());
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                visit.take_parameter(&name, &value);
            }
        }
        visit.referrer_host = self.referrer.as_deref().and_then(host_of);
        let utm = self.utm.unwrap_or_default();
        let told = [
            ("utm_source", utm.source),
            ("utm_medium", utm.medium),
            ("utm_campaign", utm.campaign),
            ("utm_term", utm.term),
            ("utm_content", utm.content),
            ("utm_id", utm.id),
            ("source_code", self.source_code),
        ];
        for (name, value) in told.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            visit.take_parameter(name, &value);
        }
        for click in self.click_ids {
            visit.take_parameter(click.kind.parameter(), &click.value);
        }
        visit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_landing_page_tells_the_campaign_and_what_is_said_outright_counts_more() {
        let visit = VisitInput {
            landing_page: Some(
                "https://www.example.org/sleep?utm_source=google&utm_campaign=a&gclid=g1&q=x#top".to_owned(),
            ),
            referrer: Some("https://www.bing.com/search?q=private".to_owned()),
            utm: Some(UtmInput {
                campaign: Some("b".to_owned()),
                ..UtmInput::default()
            }),
            source_code: Some("MAIL-1".to_owned()),
            click_ids: vec![ClickIdInput {
                kind: ClickIdKind::Fbclid,
                value: "f1".to_owned(),
            }],
        };
        let visit = visit.read();
        assert_eq!(visit.landing_page.as_deref(), Some("/sleep"));
        assert_eq!(visit.referrer_host.as_deref(), Some("www.bing.com"));
        assert_eq!(visit.utm.source.as_deref(), Some("google"));
        assert_eq!(visit.utm.campaign.as_deref(), Some("b"));
        assert_eq!(visit.source_code.as_deref(), Some("MAIL-1"));
        let click = visit.click_id.unwrap();
        assert_eq!(
            (click.kind, click.value.as_str()),
            ("gclid", "g1"),
            "the first of the list is believed"
        );
    }
}
