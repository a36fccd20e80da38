//! Which form of answer a client wants.

/// The forms that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/json`.
    Json,
    /// `application/graphql-response+json`.
    Response,
    /// `text/event-stream`.
    EventStream,
}

impl Media {
    const ALL: [Self; 3] = [Self::Json, Self::Response, Self::EventStream];

    const fn essence(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Response => "application/graphql-response+json",
            Self::EventStream => "text/event-stream",
        }
    }

    /// The `Content-Type` of an answer that is not a stream.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json | Self::EventStream => "application/json; charset=utf-8",
        }
    }
}

/// One entry of an `Accept` header.
struct Range<'a> {
    essence: &'a str,
    quality: f32,
    /// False when it asks for letters other than UTF-8, which we do not speak.
    utf8: bool,
}

fn ranges(accept: &str) -> impl Iterator<Item = Range<'_>> {
    accept.split(',').map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let mut range = Range {
            essence: parts.next().unwrap_or_default(),
            quality: 1.0,
            utf8: true,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => range.quality = value.parse().unwrap_or(0.0),
                "charset" => {
                    range.utf8 = value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
                }
                _ => {}
            }
        }
        range
    })
}

/// The form that is wanted most; none when we have none of those that are accepted. Without an `Accept` header it is plain
/// JSON, as the draft asks of servers until the new media type is known everywhere. A stream has to be asked for by name.
pub fn negotiate(accept: Option<&str>) -> Option<Media> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return Some(Media::Json);
    };
    let mut best: Option<(f32, Media, usize)> = None;
    for media in Media::ALL {
        let Some((quality, place)) = wanted(accept, media) else {
            continue;
        };
        let better = match best {
            None => true,
            Some((best, _, first)) => quality > best || (quality == best && place < first),
        };
        if quality > 0.0 && better {
            best = Some((quality, media, place));
        }
    }
    best.map(|(_, media, _)| media)
}

/// How much a form is wanted and where in the header that stands, by the most exact entry that names it.
fn wanted(accept: &str, media: Media) -> Option<(f32, usize)> {
    let exactness = |range: &Range<'_>| match range.essence {
        essence if essence.eq_ignore_ascii_case(media.essence()) => Some(2),
        "application/*" if media != Media::EventStream => Some(1),
        "*/*" if media != Media::EventStream => Some(0),
        _ => None,
    };
    let named = ranges(accept).enumerate().filter(|(_, range)| range.utf8);
    let fitting = named.filter_map(|(place, range)| Some((exactness(&range)?, range.quality, place)));
    // Of several equally exact entries the first counts.
    fitting
        .reduce(|kept, next| if next.0 > kept.0 { next } else { kept })
        .map(|(_, quality, place)| (quality, place))
}

/// Whether a browser asks for a page to look at.
pub fn prefers_html(accept: Option<&str>) -> bool {
    ranges(accept.unwrap_or_default())
        .any(|range| range.essence.eq_ignore_ascii_case("text/html") && range.quality > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_json_unless_the_new_media_type_is_named() {
        assert_eq!(negotiate(None), Some(Media::Json));
        assert_eq!(negotiate(Some("")), Some(Media::Json));
        assert_eq!(negotiate(Some("*/*")), Some(Media::Json));
        assert_eq!(negotiate(Some("application/*")), Some(Media::Json));
        assert_eq!(negotiate(Some("application/json")), Some(Media::Json));
        assert_eq!(
            negotiate(Some("application/graphql-response+json")),
            Some(Media::Response)
        );
        let both = "application/graphql-response+json, application/json;q=0.9";
        assert_eq!(negotiate(Some(both)), Some(Media::Response));
        assert_eq!(
            negotiate(Some("application/graphql-response+json, */*")),
            Some(Media::Response)
        );
    }

    #[test]
    fn quality_counts_before_place_and_an_exact_entry_before_a_wildcard() {
        let json = "application/graphql-response+json;q=0.5, application/json";
        assert_eq!(negotiate(Some(json)), Some(Media::Json));
        let not_json = "*/*, application/json;q=0";
        assert_eq!(negotiate(Some(not_json)), Some(Media::Response));
        assert_eq!(negotiate(Some("application/json;q=0")), None);
    }

    #[test]
    fn a_stream_has_to_be_asked_for_by_name() {
        assert_eq!(negotiate(Some("text/event-stream")), Some(Media::EventStream));
        assert_eq!(negotiate(Some("text/*")), None);
        let many = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
        assert_eq!(negotiate(Some(many)), Some(Media::Response));
    }

    #[test]
    fn other_forms_and_other_letters_are_not_acceptable() {
        assert_eq!(negotiate(Some("image/png")), None);
        assert_eq!(negotiate(Some("application/json; charset=utf-16")), None);
        assert_eq!(
            negotiate(Some("application/json; charset=UTF-8")),
            Some(Media::Json)
        );
    }

    #[test]
    fn browsers_ask_for_a_page() {
        assert!(prefers_html(Some(
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        )));
        assert!(!prefers_html(Some("*/*")));
        assert!(!prefers_html(None));
    }
}
