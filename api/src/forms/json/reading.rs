//! The JSON body of a form, read by hand so that every refusal names its place and nothing unknown passes.
//!
//! ```json
//! {
//!   "fields": { "email": "ana@example.org" },
//!   "consents": [{ "wordingId": "wording_…", "granted": true }],
//!   "visit": { "landingPage": "/sleep", "referrer": "https://…", "utm": { "source": "…" }, "sourceCode": "…",
//!              "clickIds": { "gclid": "…" } }
//! }
//! ```

use domain::error::{Code, Refusal};
use domain::lead::form_answers::{Sent, TICKED};
use domain::lead::inquiry::ConsentAnswer;
use domain::lead::visit::{CLICK_ID_KINDS, Visit};
use serde_json::{Map, Value};

use crate::forms::visit::{host_of, path_of};

/// Most consents of one body.
const MAX_CONSENTS: usize = 50;
/// Longest unknown name that a refusal repeats, in characters.
const MAX_NAME_CHARS: usize = 64;
const UTM: [&str; 6] = ["source", "medium", "campaign", "term", "content", "id"];

/// Reads the body.
///
/// # Errors
/// Everything that is not as it should be, with its path.
pub(super) fn read(content: &Value) -> Result<Sent, Vec<Refusal>> {
    let mut reader = Reader { refusals: Vec::new() };
    let mut sent = Sent::default();
    for (name, value) in reader.object(&[], content, &["fields", "consents", "visit"]) {
        match name.as_str() {
            "fields" => sent.fields = reader.fields(value),
            "consents" => sent.consents = reader.consents(value),
            _ => sent.visit = reader.visit(value),
        }
    }
    if reader.refusals.is_empty() {
        Ok(sent)
    } else {
        Err(reader.refusals)
    }
}

struct Reader {
    refusals: Vec<Refusal>,
}

impl Reader {
    fn refuse(&mut self, code: Code, path: &[&str], message: &'static str) {
        let field = path
            .iter()
            .map(|part| part.chars().take(MAX_NAME_CHARS).collect())
            .collect();
        self.refusals.push(Refusal {
            code,
            field,
            message: message.into(),
        });
    }

    /// The entries of an object that may only have these names. Null is the same as absent.
    fn object<'v>(
        &mut self,
        path: &[&str],
        value: &'v Value,
        known: &[&str],
    ) -> Vec<(&'v String, &'v Value)> {
        let mut entries = Vec::new();
        for (name, value) in self.any_object(path, value) {
            if known.contains(&name.as_str()) {
                if !value.is_null() {
                    entries.push((name, value));
                }
            } else {
                let place: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
                self.refuse(Code::UnknownField, &place, "This field is not known here.");
            }
        }
        entries
    }

    fn any_object<'v>(
        &mut self,
        path: &[&str],
        value: &'v Value,
    ) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
        let object: Option<&'v Map<String, Value>> = value.as_object();
        if object.is_none() {
            self.refuse(Code::Invalid, path, "This must be an object.");
        }
        object.into_iter().flatten()
    }

    fn text(&mut self, path: &[&str], value: &Value) -> Option<String> {
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.refuse(Code::Invalid, path, "This must be a text.");
        }
        text
    }

    /// Values of the form's fields, refused under their own names, as the form's rules refuse them.
    fn fields(&mut self, value: &Value) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        for (name, value) in self.any_object(&["fields"], value) {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(true) => TICKED.to_owned(),
                Value::Bool(false) | Value::Null => String::new(),
                _ => {
                    self.refuse(Code::Invalid, &[name], "This must be a text, true or false.");
                    continue;
                }
            };
            fields.push((name.clone(), text));
        }
        fields
    }

    fn consents(&mut self, value: &Value) -> Vec<ConsentAnswer> {
        let Some(items) = value.as_array() else {
            self.refuse(Code::Invalid, &["consents"], "This must be a list.");
            return Vec::new();
        };
        if items.len() > MAX_CONSENTS {
            self.refuse(Code::TooLarge, &["consents"], "These are too many consents.");
            return Vec::new();
        }
        let read = |(at, item)| self.consent(at, item);
        items.iter().enumerate().filter_map(read).collect()
    }

    fn consent(&mut self, at: usize, item: &Value) -> Option<ConsentAnswer> {
        let at = at.to_string();
        let path = ["consents", at.as_str()];
        let entries = self.object(&path, item, &["wordingId", "granted"]);
        let find = |wanted: &str| {
            entries
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| *value)
        };
        let (wording, granted) = (find("wordingId"), find("granted"));
        let wording_id = wording.and_then(Value::as_str).and_then(|text| text.parse().ok());
        if wording_id.is_none() {
            let code = if wording.is_none() {
                Code::Required
            } else {
                Code::NotFound
            };
            self.refuse(
                code,
                &[path[0], path[1], "wordingId"],
                "Name the wording that was shown by its id.",
            );
        }
        let answer = granted.and_then(Value::as_bool);
        if answer.is_none() {
            let code = if granted.is_none() {
                Code::Required
            } else {
                Code::Invalid
            };
            self.refuse(code, &[path[0], path[1], "granted"], "Say true or false.");
        }
        Some(ConsentAnswer {
            wording_id: wording_id?,
            granted: answer?,
        })
    }

    fn visit(&mut self, value: &Value) -> Visit {
        let mut visit = Visit::default();
        let known = ["landingPage", "referrer", "utm", "sourceCode", "clickIds"];
        for (name, value) in self.object(&["visit"], value, &known) {
            match name.as_str() {
                "utm" => self.parameters(&mut visit, "utm", "utm_", value, &UTM),
                "clickIds" => self.parameters(&mut visit, "clickIds", "", value, &CLICK_ID_KINDS),
                plain => {
                    let Some(text) = self.text(&["visit", plain], value) else {
                        continue;
                    };
                    match plain {
                        "landingPage" => visit.landing_page = path_of(&text),
                        "referrer" => visit.referrer_host = host_of(&text),
                        _ => visit.take_parameter("source_code", &text),
                    }
                }
            }
        }
        visit
    }

    /// Parameters of the landing page; `prefix` makes their names here into those of the page's address.
    fn parameters(&mut self, visit: &mut Visit, part: &str, prefix: &str, value: &Value, known: &[&str]) {
        for (name, value) in self.object(&["visit", part], value, known) {
            if let Some(text) = self.text(&["visit", part, name], value) {
                visit.take_parameter(&format!("{prefix}{name}"), &text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(content: &Value) -> Vec<(Code, String)> {
        let refusals = read(content).unwrap_err();
        refusals
            .into_iter()
            .map(|refusal| (refusal.code, refusal.field.join("/")))
            .collect()
    }

    #[test]
    fn a_whole_body_is_read() {
        let id = entity::id::ConsentWordingId(uuid::Uuid::from_u128(5));
        let sent = read(&json!({
            "fields": { "email": "ana@example.org", "evening": true, "note": null },
            "consents": [{ "wordingId": id.to_string(), "granted": false }],
            "visit": {
                "landingPage": "/sleep?x=1", "referrer": "https://www.google.com/search?q=x",
                "utm": { "source": "google", "campaign": null }, "sourceCode": "SL-1", "clickIds": { "gclid": "abc" },
            },
        }))
        .unwrap();
        let mut fields = sent.fields;
        fields.sort();
        let expected = [("email", "ana@example.org"), ("evening", "yes"), ("note", "")];
        assert_eq!(
            fields,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(
            sent.consents,
            [ConsentAnswer {
                wording_id: id,
                granted: false
            }]
        );
        let visit = sent.visit.bounded();
        assert_eq!(visit.landing_page.as_deref(), Some("/sleep"));
        assert_eq!(visit.referrer_host.as_deref(), Some("www.google.com"));
        assert_eq!(
            (visit.utm.source.as_deref(), visit.utm.campaign.as_deref()),
            (Some("google"), None)
        );
        assert_eq!(visit.source_code.as_deref(), Some("SL-1"));
        assert_eq!(visit.click_id.map(|id| id.value).as_deref(), Some("abc"));
    }

    #[test]
    fn what_is_not_known_is_named_with_its_path() {
        let mut names = refused(&json!({
            "field": {}, "visit": { "utm": { "sauce": "x" }, "ip": "1" },
            "consents": [{ "wordingId": "wording_x", "granted": true, "at": 1 }],
        }));
        names.sort_by(|a, b| a.1.cmp(&b.1));
        let expected = [
            (Code::UnknownField, "consents/0/at"),
            (Code::NotFound, "consents/0/wordingId"),
            (Code::UnknownField, "field"),
            (Code::UnknownField, "visit/ip"),
            (Code::UnknownField, "visit/utm/sauce"),
        ];
        assert_eq!(names, expected.map(|(code, path)| (code, path.to_owned())));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_under_its_field() {
        assert_eq!(
            refused(&json!({ "fields": { "email": 7 } })),
            [(Code::Invalid, "email".to_owned())]
        );
        assert_eq!(
            refused(&json!({ "fields": [] })),
            [(Code::Invalid, "fields".to_owned())]
        );
        assert_eq!(
            refused(&json!({ "consents": {} })),
            [(Code::Invalid, "consents".to_owned())]
        );
        assert_eq!(
            refused(&json!({ "visit": { "sourceCode": 1 } })),
            [(Code::Invalid, "visit/sourceCode".to_owned())]
        );
        assert_eq!(refused(&json!(["no"])), [(Code::Invalid, String::new())]);
        let no_answer = json!({ "consents": [{}] });
        assert_eq!(
            refused(&no_answer)
                .iter()
                .map(|(code, _)| *code)
                .collect::<Vec<_>>(),
            [Code::Required; 2]
        );
    }

    #[test]
    fn a_name_of_any_length_is_cut_in_the_refusal() {
        let content = Value::Object(Map::from_iter([("n".repeat(5000), Value::Null)]));
        assert_eq!(refused(&content)[0].1.len(), MAX_NAME_CHARS);
    }
}
