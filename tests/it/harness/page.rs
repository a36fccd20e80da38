//! Forms as a browser sees them.

use serde_json::{Value, json};

use super::{Answer, Clinic};

/// A page with a form.
#[derive(Clone, Debug)]
pub struct FormPage {
    /// The cookies that it set.
    pub cookies: String,
    /// Names and values of the hidden inputs.
    pub hidden: Vec<(String, String)>,
    /// The checkboxes.
    pub boxes: Vec<Checkbox>,
}

/// A checkbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkbox {
    /// Name in the request.
    pub name: String,
    /// Value in the request when it is ticked.
    pub value: String,
    /// Whether it is ticked.
    pub ticked: bool,
    /// The text beside it.
    pub label: String,
}

impl FormPage {
    /// Reads a page.
    pub fn read(answer: &Answer) -> Self {
        let html = answer.body.as_str();
        let inputs: Vec<&str> = tags(html, "input").collect();
        let of_kind = |kind: &str| {
            inputs
                .iter()
                .filter(move |tag| attribute(tag, "type").as_deref() == Some(kind))
                .copied()
                .collect::<Vec<_>>()
        };
        let hidden = of_kind("hidden")
            .iter()
            .filter_map(|tag| {
                Some((
                    attribute(tag, "name")?,
                    attribute(tag, "value").unwrap_or_default(),
                ))
            })
            .collect();
        let boxes = of_kind("checkbox")
            .iter()
            .filter_map(|tag| {
                Some(Checkbox {
                    name: attribute(tag, "name")?,
                    value: attribute(tag, "value")?,
                    ticked: tag.contains(" checked"),
                    label: label(html, &attribute(tag, "id")?),
                })
            })
            .collect();
        let cookies = answer
            .headers
            .get_all("set-cookie")
            .into_iter()
            .filter_map(|value| value.to_str().ok());
        let cookies = cookies
            .filter_map(|cookie| cookie.split(';').next())
            .collect::<Vec<_>>()
            .join("; ");
        Self {
            cookies,
            hidden,
            boxes,
        }
    }

    /// The checkbox beside this text.
    pub fn checkbox(&self, text: &str) -> &Checkbox {
        let found = self.boxes.iter().find(|found| found.label.contains(text));
        found.unwrap_or_else(|| panic!("no checkbox says {text:?} among {:?}", self.boxes))
    }
}

/// Every tag of a name.
fn tags<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let open = format!("<{name}");
    let starts: Vec<usize> = html.match_indices(&open).map(|(start, _)| start).collect();
    starts.into_iter().filter_map(move |start| {
        let rest = &html[start..];
        rest.find('>').map(|end| &rest[..=end])
    })
}

/// An attribute of a tag, with its entities read.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..];
    let text = &value[..value.find('"')?];
    Some(unescaped(text))
}

/// The text of the label for an id.
fn label(html: &str, id: &str) -> String {
    let Some(start) = html.find(&format!("for=\"{id}\"")) else {
        return String::new();
    };
    let rest = &html[start..];
    let text = &rest[rest.find('>').map_or(0, |end| end + 1)..];
    unescaped(&text[..text.find("</label>").unwrap_or(text.len())])
}

fn unescaped(text: &str) -> String {
    let text = text
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'");
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .trim()
        .to_owned()
}

/// What a visitor of the sleep form fills in.
pub fn pat() -> Vec<(&'static str, &'static str)> {
    vec![
        ("given_name", "Pat"),
        ("family_name", "Meyer"),
        ("email", "pat@example.org"),
        ("phone", "(860) 555-0142"),
    ]
}

impl Clinic {
    /// Opens a form as a browser does; the path may have a query.
    pub async fn open_form(&self, path: &str) -> FormPage {
        let answer = Answer::to(self.client.get(format!("/f/{path}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        FormPage::read(&answer)
    }

    /// Opens a form, fills it in and sends it. A field named `agree` ticks the checkbox beside its text.
    pub async fn submit_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.open_form(path).await;
        self.send_form(path, &page, fields).await
    }

    /// Sends a form that was opened before.
    pub async fn send_form(&self, path: &str, page: &FormPage, fields: &[(&str, &str)]) -> Answer {
        let mut pairs: Vec<(String, String)> = page.hidden.clone();
        for (name, value) in fields {
            match *name {
                "agree" => {
                    let ticked = page.checkbox(value);
                    pairs.push((ticked.name.clone(), ticked.value.clone()));
                }
                name => pairs.push((name.to_owned(), (*value).to_owned())),
            }
        }
        let slug = path.split('?').next().unwrap_or(path);
        let mut request = self.client.post(format!("/f/{slug}")).form(&pairs);
        if !page.cookies.is_empty() {
            request = request.header("cookie", page.cookies.as_str());
        }
        Answer::to(request).await
    }

    /// Sends a form by JSON.
    pub async fn submit_json(&self, slug: &str, body: &Value, key: Option<&str>) -> Answer {
        let mut request = self.client.post(format!("/f/{slug}")).body_json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answer::to(request).await
    }

    /// A lead of the sleep form that agreed to everything. Answers the public id.
    pub async fn pat_asks(&self) -> String {
        let mut fields = pat();
        fields.extend([
            ("agree", "email me about my request"),
            ("agree", "services and events"),
            ("agree", "call me"),
        ]);
        let answer = self.submit_form("sleep-study", &fields).await;
        assert!(
            answer.status.is_success() || answer.status.is_redirection(),
            "{}: {}",
            answer.status,
            answer.body
        );
        self.last_lead().await.id.to_string()
    }

    /// Sends a form's fields by GraphQL, as anybody who has its key. Answers the payload of `submitLead`.
    pub async fn submit_lead(&self, slug: &str, fields: &[(&str, &str)], external_id: Option<&str>) -> Value {
        let fields: Vec<Value> = fields
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        let input =
            json!({ "formKey": self.form_key(slug).await, "fields": fields, "externalId": external_id });
        self.try_change(super::As::Nobody, "submitLead", input).await
    }

    /// The lead that came in last.
    pub async fn last_lead(&self) -> entity::lead::Model {
        use sea_orm::{EntityTrait, QueryOrder};
        let last = entity::lead::Entity::find()
            .order_by_desc(entity::lead::Column::Id)
            .one(self.db())
            .await;
        last.expect("leads can be read").expect("a lead came in")
    }
}
