//! The outbox: mails that were kept instead of sent, readable in a browser.
//!
//! It exists only where no mail server is set, so that somebody who tries Leadward can read what it would send. The
//! mails name people and what they asked for, so it opens only
//! - to staff and tokens that may see every lead, wherever they come from;
//! - to whoever sits at the machine itself, without showing a session or a token, if the installation is not offered to anybody else: its
//!   public address is a loopback address, the connection comes from one, the browser asked for one (which keeps out
//!   pages of other sites that have their own name resolve to this machine), and no proxy stands in between.
//!
//! Everybody else is told that there is no such page.

mod access;
mod letter;

use askama::Template;
use chrono::{DateTime, Utc};
use domain::outreach::captured::{self, Listed};
use domain::viewer::Viewer;
use entity::id::MessageId;
use entity::message::MessageKind;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{Data, Path};
use poem::{IntoEndpoint, Request, Response, Route, get, handler};

use self::letter::{Letter, Part};
use crate::pages::{self, Frame, Framed};
use crate::state::Api;
use crate::tongue::Tongue;

/// Mails on one page.
const PAGE: usize = 50;
/// What the HTML of a mail may do when it is shown: nothing but look as it was written.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
     style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// The routes below `/outbox`.
pub fn routes() -> impl IntoEndpoint<Endpoint: 'static> {
    Route::new()
        .at("/", get(list))
        .at("/:id", get(read))
        .at("/:id/html", get(html))
        .at("/:id/raw", get(whole))
}

struct Line {
    id: String,
    subject: String,
    recipient: String,
    kind: &'static str,
    at: String,
    at_machine: String,
}

#[derive(Template)]
#[template(path = "outbox.html")]
struct OutboxPage<'a> {
    frame: Frame<'a>,
    mails: Vec<Line>,
    first_page: bool,
    older: Option<String>,
}

#[handler]
async fn list(Data(api): Data<&Api>, req: &Request) -> Response {
    let site = &api.hospital.site;
    let viewer = match access::viewer(api, req).await {
        Ok(viewer) => viewer,
        Err(response) => return *response,
    };
    let before = match req.uri().query().and_then(|query| query.strip_prefix("before=")) {
        None => None,
        Some(text) => match place(text) {
            Some(place) => Some(place),
            None => return pages::not_found(site, Tongue::English),
        },
    };
    // One more than is shown tells whether there are older ones.
    let mut found = match captured::list(&api.hospital, &viewer, before, PAGE as u64 + 1).await {
        Ok(found) => found,
        Err(error) => return pages::failed(site, Tongue::English, "the outbox", &error),
    };
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let older = found
        .last()
        .filter(|_| more)
        .map(|last| place_after(last.captured_at, last.message_id));
    let page = OutboxPage {
        frame: Frame::of(site, Tongue::English),
        mails: found.into_iter().map(line).collect(),
        first_page: before.is_none(),
        older,
    };
    pages::page(StatusCode::OK, &page, Framed::Never)
}

fn line(mail: Listed) -> Line {
    Line {
        id: mail.message_id.to_string(),
        subject: mail.subject,
        recipient: mail.recipient,
        kind: kind_name(mail.kind),
        at: mail.captured_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        at_machine: mail.captured_at.to_rfc3339(),
    }
}

const fn kind_name(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Confirmation => "Confirmation of a form",
        MessageKind::OptIn => "Asks to confirm a consent",
        MessageKind::FormSaved => "The link to a saved form",
        MessageKind::Nurture => "Sequence or mailing",
        MessageKind::FollowUpAssigned => "To staff: follow-up assigned",
        MessageKind::FollowUpDueSoon => "To staff: follow-up due soon",
        MessageKind::FollowUpLate => "To staff: follow-up late",
        MessageKind::FollowUpDigest => "To staff: follow-ups of today",
        MessageKind::SlaWarning => "To staff: nobody tries to reach a lead",
        MessageKind::SlaTakenBack => "To staff: a lead was handed on",
        MessageKind::SequenceNotice => "To staff: a sequence tells of a lead",
        MessageKind::SendingAlert => "To staff: sending was stopped",
        MessageKind::TemplateTest => "To staff: test of a template",
    }
}

/// The place in the list after a mail, as it stands in the address: a time in microseconds and an id.
fn place_after(at: DateTime<Utc>, id: MessageId) -> String {
    format!("{}.{id}", at.timestamp_micros())
}

fn place(text: &str) -> Option<(DateTime<Utc>, MessageId)> {
    let (micros, id) = text.split_once('.')?;
    Some((
        DateTime::from_timestamp_micros(micros.parse().ok()?)?,
        id.parse().ok()?,
    ))
}

/// The bytes of one mail, if the caller may read it.
async fn mail(api: &Api, req: &Request, id: &str) -> Result<(MessageId, Vec<u8>), Box<Response>> {
    let site = &api.hospital.site;
    let viewer: Viewer = access::viewer(api, req).await?;
    let Ok(id) = id.parse::<MessageId>() else {
        return Err(Box::new(pages::not_found(site, Tongue::English)));
    };
    match captured::by_message(&api.hospital, &viewer, id).await {
        Ok(found) => Ok((id, found.raw)),
        Err(error) => Err(Box::new(pages::failed(
            site,
            Tongue::English,
            "a mail of the outbox",
            &error,
        ))),
    }
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage<'a> {
    frame: Frame<'a>,
    id: String,
    subject: String,
    facts: Vec<(String, String)>,
    text: Vec<Part>,
    has_html: bool,
}

#[handler]
async fn read(Data(api): Data<&Api>, Path(id): Path<String>, req: &Request) -> Response {
    let (id, raw) = match mail(api, req, &id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let letter = Letter::read(&raw);
    let page = MailPage {
        frame: Frame::of(&api.hospital.site, Tongue::English),
        id: id.to_string(),
        subject: letter.subject,
        facts: letter.facts,
        text: letter::with_links(&letter.text),
        has_html: letter.html.is_some(),
    };
    pages::page(StatusCode::OK, &page, Framed::Never)
}

#[handler]
async fn html(Data(api): Data<&Api>, Path(id): Path<String>, req: &Request) -> Response {
    let (_, raw) = match mail(api, req, &id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let Some(html) = Letter::read(&raw).html else {
        return pages::not_found(&api.hospital.site, Tongue::English);
    };
    let mut response = Response::builder()
        .content_type("text/html; charset=utf-8")
        .body(letter::opening_links_apart(&html));
    kept_apart(&mut response);
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(MAIL_POLICY),
    );
    response
}

#[handler]
async fn whole(Data(api): Data<&Api>, Path(id): Path<String>, req: &Request) -> Response {
    let (_, raw) = match mail(api, req, &id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let mut response = Response::builder()
        .content_type("text/plain; charset=utf-8")
        .body(raw);
    kept_apart(&mut response);
    response
}

/// Headers of a mail's own content: shown by this page only, and kept by nobody.
fn kept_apart(response: &mut Response) {
    pages::guard(response, Framed::By(&[]));
    pages::set(response, header::X_FRAME_OPTIONS, "SAMEORIGIN");
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_place_in_the_list_reads_back_as_itself() {
        let at = Utc.timestamp_micros(1_795_000_000_123_456).unwrap();
        let id = MessageId(Uuid::from_u128(7));
        assert_eq!(place(&place_after(at, id)), Some((at, id)));
        for wrong in ["", ".", "1", "x.msg_1", "99999999999999999999.msg_1"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
