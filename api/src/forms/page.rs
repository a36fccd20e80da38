//! The pages of a form: the form itself, with what was typed after an error, and its thanks.

use askama::Template;
use chrono::NaiveDate;
use domain::error::Refusal;
use domain::lead::form_answers::TICKED;
use domain::lead::inquiry::ConsentAnswer;
use domain::playbook::Playbook;
use entity::form::{self, Field, FieldKind, FieldOption};
use entity::id::ConsentWordingId;
use poem::Response;
use poem::http::{HeaderValue, StatusCode, header};

use super::phrases::Phrases;
use super::visit::Kept;
use super::{CONSENTS, FORGET, LATER, Pressed, SAVE, TRAP};
use crate::pages::{self, Frame, Framed};
use crate::state::Api;
use crate::tongue::Tongue;

/// What a visitor sent, and gets back when something is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// Values of fields.
    pub fields: Vec<(String, String)>,
    /// Consents that were shown.
    pub consents: Vec<ConsentAnswer>,
    /// What is kept of the visit.
    pub kept: Kept,
    /// Whether the field that people do not see was filled in.
    pub trapped: bool,
    /// What could not be read at all.
    pub wrong: Vec<Refusal>,
    /// Which button was pressed.
    pub pressed: Pressed,
    /// The link that it was opened by; none for a form that was opened anew.
    pub link: Option<Link>,
}

/// The link to a saved form.
#[derive(Debug)]
pub(super) struct Link {
    /// Its token.
    pub token: String,
    /// The day on which what was saved is deleted.
    pub until: NaiveDate,
    /// The texts that were agreed to before. They are told and not asked for again.
    pub agreed: Vec<ConsentWordingId>,
}

struct FieldView<'a> {
    id: String,
    name: &'a str,
    label: &'a str,
    kind: FieldKind,
    required: bool,
    hint: Option<&'a str>,
    autocomplete: Option<&'a str>,
    options: &'a [FieldOption],
    value: &'a str,
    problem: Option<String>,
}

impl FieldView<'_> {
    const fn is_select(&self) -> bool {
        matches!(self.kind, FieldKind::Select)
    }

    const fn is_text_area(&self) -> bool {
        matches!(self.kind, FieldKind::TextArea)
    }

    const fn is_checkbox(&self) -> bool {
        matches!(self.kind, FieldKind::Checkbox)
    }

    fn checked(&self) -> bool {
        matches!(self.value, "on" | "true" | "1" | TICKED)
    }

    /// Whether a long box would promise more than is wanted.
    fn is_short(&self) -> bool {
        matches!(self.kind, FieldKind::Phone) || self.autocomplete == Some("postal-code")
    }

    const fn input_type(&self) -> &'static str {
        match self.kind {
            FieldKind::Email => "email",
            FieldKind::Phone => "tel",
            _ => "text",
        }
    }

    /// Ids of the hint and the problem, which screen readers read with the field.
    fn described_by(&self) -> Option<String> {
        let hint = self.hint.map(|_| format!("{}-hint", self.id));
        let problem = self.problem.as_ref().map(|_| format!("{}-problem", self.id));
        let ids: Vec<String> = hint.into_iter().chain(problem).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

struct Problem {
    /// Id of the field to go to.
    id: Option<String>,
    text: String,
}

struct ConsentView<'a> {
    id: String,
    text: &'a str,
    language: &'a str,
    ticked: bool,
    /// Whether it was agreed to before.
    agreed: bool,
}

#[derive(Template)]
#[template(path = "form.html")]
struct FormPage<'a> {
    frame: Frame<'a>,
    say: &'static Phrases,
    form: &'a form::Model,
    intro: Vec<&'a str>,
    problems: Vec<Problem>,
    fields: Vec<FieldView<'a>>,
    /// The texts that are asked for.
    consents: Vec<ConsentView<'a>>,
    /// The texts that were agreed to when it was saved.
    agreed: Vec<ConsentView<'a>>,
    kept: &'a Kept,
    trap: &'static str,
    action: String,
    /// What was saved and can be forgotten, and until when it is kept.
    saved: Option<String>,
    later: Option<LaterView>,
}

/// The buttons beside the one that sends the form.
struct LaterView {
    /// What is kept and for how long. Pressing the button agrees to it.
    terms: String,
    name: &'static str,
    save: &'static str,
    forget: &'static str,
}

/// The form, with what was typed and what is wrong with it.
pub(super) fn form(
    api: &Api,
    playbook: &Playbook,
    form: &form::Model,
    status: StatusCode,
    typed: &Typed,
    refusals: &[Refusal],
) -> Response {
    let say = Phrases::of(&form.language);
    let fields: Vec<FieldView<'_>> = form
        .fields
        .0
        .iter()
        .enumerate()
        .map(|(at, field)| field_view(at, field, typed, refusals, say))
        .collect();
    let later = say.terms(form, typed.link.is_some()).map(|terms| LaterView {
        terms,
        name: LATER,
        save: SAVE,
        forget: FORGET,
    });
    let (agreed, asked) = consents(playbook, form, typed)
        .into_iter()
        .partition(|consent| consent.agreed);
    let page = FormPage {
        frame: frame(api, form, say, refusals.is_empty() && typed.link.is_none()),
        say,
        form,
        intro: pages::paragraphs(&form.intro),
        problems: refusals
            .iter()
            .map(|refusal| problem(refusal, form, say, typed.pressed))
            .collect(),
        fields,
        consents: asked,
        agreed,
        kept: &typed.kept,
        trap: TRAP,
        saved: typed.link.as_ref().map(|link| say.kept_until(link.until)),
        action: match &typed.link {
            Some(link) => format!("/r/{}", link.token),
            None => format!("/f/{}", form.slug),
        },
        later,
    };
    let framed = match typed.link {
        Some(_) => Framed::Never,
        None => Framed::By(&api.settings.cors_origins),
    };
    pages::page(status, &page, framed)
}

fn frame<'a>(api: &'a Api, form: &'a form::Model, say: &'static Phrases, indexed: bool) -> Frame<'a> {
    Frame {
        lang: &form.language,
        skip: say.skip,
        noindex: !indexed,
        ..Frame::of(&api.hospital.site, Tongue::of(&form.language))
    }
}

fn field_view<'a>(
    at: usize,
    field: &'a Field,
    typed: &'a Typed,
    refusals: &[Refusal],
    say: &'static Phrases,
) -> FieldView<'a> {
    let value = typed
        .fields
        .iter()
        .find(|(name, _)| *name == field.name)
        .map_or("", |(_, value)| value.as_str());
    let problem = refusals.iter().find(|refusal| is_about(refusal, field));
    FieldView {
        id: field_id(at),
        name: &field.name,
        label: &field.label,
        kind: field.kind,
        required: field.required,
        hint: field.hint.as_deref(),
        autocomplete: field.autocomplete.as_deref(),
        options: &field.options,
        value: value.trim(),
        problem: problem.map(|refusal| say.explain(refusal, Some(field), typed.pressed).into_owned()),
    }
}

/// A field's id in the page. Its name may hold what an id must not.
fn field_id(at: usize) -> String {
    format!("field-{}", at + 1)
}

fn is_about(refusal: &Refusal, field: &Field) -> bool {
    refusal.field.join(".") == field.name
}

/// A line of the summary: which field, what is wrong with it, and the way there.
fn problem(refusal: &Refusal, form: &form::Model, say: &'static Phrases, pressed: Pressed) -> Problem {
    let found = form
        .fields
        .0
        .iter()
        .enumerate()
        .find(|(_, field)| is_about(refusal, field));
    if let Some((at, field)) = found {
        return Problem {
            id: Some(field_id(at)),
            text: format!("{}: {}", field.label, say.explain(refusal, Some(field), pressed)),
        };
    }
    let explained = say.explain(refusal, None, pressed);
    match refusal.field.first().map(String::as_str) {
        Some(CONSENTS) if !form.wordings.0.is_empty() => Problem {
            id: Some("consent-1".to_owned()),
            text: explained.into_owned(),
        },
        Some(name) if !name.is_empty() => Problem {
            id: None,
            text: format!("{name}: {explained}"),
        },
        _ => Problem {
            id: None,
            text: explained.into_owned(),
        },
    }
}

/// The consents that the form asks for, each in its newest wording. Nothing is ticked but what the visitor ticked.
fn consents<'a>(playbook: &'a Playbook, form: &form::Model, typed: &Typed) -> Vec<ConsentView<'a>> {
    let newest = form
        .wordings
        .0
        .iter()
        .filter_map(|key| playbook.wording(key, &form.language));
    newest
        .map(|wording| ConsentView {
            id: wording.id.to_string(),
            text: &wording.text,
            language: &wording.language,
            ticked: typed
                .consents
                .iter()
                .any(|answer| answer.granted && answer.wording_id == wording.id),
            agreed: typed
                .link
                .as_ref()
                .is_some_and(|link| link.agreed.contains(&wording.id)),
        })
        .collect()
}

#[derive(Template)]
#[template(path = "thanks.html")]
struct ThanksPage<'a> {
    frame: Frame<'a>,
    say: &'static Phrases,
    thanks: Vec<&'a str>,
}

#[derive(Template)]
#[template(path = "saved.html")]
struct SavedPage<'a> {
    frame: Frame<'a>,
    say: &'static Phrases,
    first_page: &'static str,
}

/// The page after a form.
pub(super) fn thanks(api: &Api, form: &form::Model) -> Response {
    let say = Phrases::of(&form.language);
    let page = ThanksPage {
        frame: frame(api, form, say, false),
        say,
        thanks: pages::paragraphs(&form.thanks),
    };
    pages::page(StatusCode::OK, &page, Framed::By(&api.settings.cors_origins))
}

/// The page after a form that was saved to be finished later.
pub(super) fn saved(api: &Api, form: &form::Model) -> Response {
    let say = Phrases::of(&form.language);
    let page = SavedPage {
        frame: frame(api, form, say, false),
        say,
        first_page: crate::phrases::Phrases::of(Tongue::of(&form.language)).first_page,
    };
    pages::page(StatusCode::OK, &page, Framed::By(&api.settings.cors_origins))
}

/// The way to the page after a form. The address names the form and nothing else.
pub(super) fn to_thanks(form: &form::Model) -> Response {
    see_other(form, "thanks")
}

/// The way to the page after a form that was saved.
pub(super) fn to_saved(form: &form::Model) -> Response {
    see_other(form, "saved")
}

fn see_other(form: &form::Model, page: &str) -> Response {
    let mut response = Response::builder().status(StatusCode::SEE_OTHER).finish();
    match HeaderValue::from_str(&format!("/f/{}/{page}", form.slug)) {
        Ok(address) => drop(response.headers_mut().insert(header::LOCATION, address)),
        Err(_) => tracing::error!(form = %form.id, "the name of a form cannot stand in an address"),
    }
    pages::set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}
