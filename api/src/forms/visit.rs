//! What a form keeps of how the visit began, from the first page to the post: campaign parameters, click ids, a source
//! code, the first page and the host before it. It travels in hidden fields, so that no cookie is needed.

use domain::lead::visit::{CLICK_ID_KINDS, Visit};
use poem::Request;
use poem::http::header;
use url::{Url, form_urlencoded};

/// The campaign parameters and codes that are kept, apart from click ids.
const PARAMETERS: [&str; 8] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "source_code",
    "code",
];
/// The first page.
const LANDING_PAGE: &str = "landing_page";
/// The host of the page before.
const REFERRER: &str = "referrer";
/// Longest value that is kept in a page, in characters. The rule behind the door cuts further.
const MAX_CHARS: usize = 512;

/// Names and values that travel in hidden fields.
pub(super) type Kept = Vec<(String, String)>;

/// Whether a name is one of those that are kept.
pub(super) fn is_kept(name: &str) -> bool {
    [LANDING_PAGE, REFERRER].contains(&name) || is_parameter(name)
}

fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name) || CLICK_ID_KINDS.contains(&name)
}

/// Keeps a value in place of one of the same name.
pub(super) fn keep(kept: &mut Kept, name: String, value: String) {
    let value: String = value
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_CHARS)
        .collect();
    kept.retain(|(known, _)| *known != name);
    if !value.trim().is_empty() {
        kept.push((name, value));
    }
}

/// What a query names of it.
pub(super) fn kept_of_query(query: &str) -> Kept {
    let mut kept = Kept::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if is_kept(&name) {
            keep(&mut kept, name.into_owned(), value.into_owned());
        }
    }
    kept
}

/// What the request for the form's page tells. A page of the same site that links here is the first page of the visit;
/// a page of another site is where the visitor comes from.
pub(super) fn kept_of_landing(req: &Request, public_url: &str, slug: &str) -> Kept {
    let mut kept = kept_of_query(req.uri().query().unwrap_or_default());
    let has = |kept: &Kept, name: &str| kept.iter().any(|(known, _)| known == name);
    let own = |name: &Url| Url::parse(public_url).is_ok_and(|own| own.origin() == name.origin());
    let before = req.header(header::REFERER).and_then(|text| Url::parse(text).ok());
    match before {
        Some(page) if own(&page) && page.path() != "/" && !has(&kept, LANDING_PAGE) => {
            keep(&mut kept, LANDING_PAGE.to_owned(), page.path().to_owned());
        }
        Some(page) if !own(&page) && !has(&kept, REFERRER) => {
            keep(
                &mut kept,
                REFERRER.to_owned(),
                page.host_str().unwrap_or_default().to_owned(),
            );
        }
        _ => {}
    }
    if !has(&kept, LANDING_PAGE) {
        keep(&mut kept, LANDING_PAGE.to_owned(), format!("/f/{slug}"));
    }
    kept
}

/// The visit that was kept.
pub(super) fn of_kept(kept: &Kept) -> Visit {
    let mut visit = Visit::default();
    for (name, value) in kept {
        match name.as_str() {
            LANDING_PAGE => visit.landing_page = path_of(value),
            REFERRER => visit.referrer_host = host_of(value),
            _ => visit.take_parameter(name, value),
        }
    }
    visit
}

/// The path of a page that is named by its path or its whole address.
pub(crate) fn path_of(page: &str) -> Option<String> {
    let path = Url::parse(page).map_or_else(|_| page.to_owned(), |url| url.path().to_owned());
    path.starts_with('/').then_some(path)
}

/// The host of a page that is named by its host or its whole address; what else an address says is not kept.
pub(crate) fn host_of(page: &str) -> Option<String> {
    let host = match Url::parse(page) {
        Ok(url) if url.has_host() => url.host_str().map(str::to_owned),
        _ => Some(page.to_owned()),
    };
    let is_host = |host: &String| {
        !host.is_empty()
            && host.len() <= 253
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    };
    host.filter(is_host).map(|host| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landing(uri: &str, referer: Option<&str>) -> Visit {
        let mut req = Request::builder().uri_str(uri);
        if let Some(referer) = referer {
            req = req.header("referer", referer);
        }
        of_kept(&kept_of_landing(
            &req.finish(),
            "https://care.example.org",
            "sleep-study",
        ))
    }

    #[test]
    fn campaign_and_click_id_go_along_and_nothing_else_of_the_query_does() {
        let visit = landing(
            "/f/sleep-study?utm_source=google&utm_campaign=SLEEP26&gclid=abc&email=a%40b.org",
            None,
        );
        assert_eq!(visit.utm.source.as_deref(), Some("google"));
        assert_eq!(visit.utm.campaign.as_deref(), Some("SLEEP26"));
        assert_eq!(visit.click_id.unwrap().value, "abc");
        assert_eq!(visit.landing_page.as_deref(), Some("/f/sleep-study"));
        let kept = kept_of_query("email=a%40b.org&utm_term=x");
        assert_eq!(kept, [("utm_term".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn of_another_site_only_the_host_is_kept() {
        let visit = landing(
            "/f/sleep-study",
            Some("https://www.Google.com/search?q=can%27t+sleep"),
        );
        assert_eq!(visit.referrer_host.as_deref(), Some("www.google.com"));
    }

    #[test]
    fn a_page_of_the_same_site_is_the_first_page_and_not_a_referrer() {
        let visit = landing("/f/sleep-study", Some("https://care.example.org/sleep?x=1"));
        assert_eq!(
            (visit.landing_page.as_deref(), visit.referrer_host),
            (Some("/sleep"), None)
        );
    }

    #[test]
    fn an_address_is_cut_to_its_host_and_its_path() {
        assert_eq!(
            host_of("https://a.example/search?q=1").as_deref(),
            Some("a.example")
        );
        assert_eq!(host_of("a.example").as_deref(), Some("a.example"));
        assert_eq!(host_of("a b"), None);
        assert_eq!(path_of("https://a.example/p?q=1").as_deref(), Some("/p"));
        assert_eq!(path_of("p"), None);
    }

    #[test]
    fn a_value_of_any_length_is_cut() {
        let mut kept = Kept::new();
        keep(&mut kept, "utm_source".to_owned(), "x".repeat(10_000));
        keep(&mut kept, "utm_source".to_owned(), "y".repeat(10_000));
        assert_eq!(kept, [("utm_source".to_owned(), "y".repeat(MAX_CHARS))]);
    }
}
