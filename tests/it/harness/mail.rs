//! Mails as their readers see them.

use entity::{captured_mail, message};
use mail_parser::{HeaderValue, MessageParser};
use sea_orm::{EntityTrait, QueryOrder};

use super::Clinic;

/// A mail that went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The envelope's recipient.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The plain-text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// `Message-ID` without brackets.
    pub message_id: String,
    /// Names and values of all headers, as they were sent, unfolded.
    pub headers: Vec<(String, String)>,
}

impl Mail {
    /// Reads a mail as it went over the wire.
    pub fn read(to: &str, raw: &[u8]) -> Self {
        let mail = MessageParser::default().parse(raw).expect("a mail can be read");
        let headers = mail.headers_raw().map(|(name, value)| {
            (
                name.to_owned(),
                value.split_whitespace().collect::<Vec<_>>().join(" "),
            )
        });
        Self {
            to: to.to_owned(),
            subject: mail.subject().unwrap_or_default().to_owned(),
            text: mail.body_text(0).unwrap_or_default().into_owned(),
            html: mail.body_html(0).unwrap_or_default().into_owned(),
            message_id: match mail.header("Message-ID") {
                Some(HeaderValue::Text(id)) => id.to_string(),
                _ => String::new(),
            },
            headers: headers.collect(),
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The token of the unsubscribe link.
    pub fn unsubscribe_token(&self) -> &str {
        let link = self
            .header("List-Unsubscribe")
            .expect("this mail can be unsubscribed from");
        link.trim_matches(['<', '>'])
            .rsplit('/')
            .next()
            .expect("a link has a last part")
    }

    /// The path of the link to the recipient's preferences: `/p/…`.
    pub fn preferences_path(&self) -> &str {
        let (_, link) = self
            .text
            .split_once("https://leads.clinic.example/p/")
            .expect("this mail leads to the preferences");
        let end = link
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            .unwrap_or(link.len());
        let from = self.text.len() - link.len() - "/p/".len();
        &self.text[from..from + "/p/".len() + end]
    }

    /// The whole mail for a snapshot, with what differs from run to run taken out.
    pub fn snapshot(&self) -> String {
        let mut page = String::new();
        for (name, value) in &self.headers {
            if !name.eq_ignore_ascii_case("Content-Type") {
                page.push_str(&format!("{name}: {value}\n"));
            }
        }
        page.push_str(&format!(
            "\n--- text ---\n{}\n--- html ---\n{}\n",
            self.text.trim_end(),
            self.html.trim_end()
        ));
        let mut page = page
            .replace("\r\n", "\n")
            .replace(&self.message_id, "[message-id]");
        if self.header("List-Unsubscribe").is_some() {
            page = page.replace(self.unsubscribe_token(), "[token]");
        }
        if self.text.contains("/p/") {
            page = page.replace(self.preferences_path(), "/p/[token]");
        }
        without_ids(&page)
    }
}

/// Public ids (`lead_01jd…`) without what differs from run to run.
fn without_ids(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(found) = rest.find("lead_0") {
        let (before, id) = rest.split_at(found);
        out.push_str(before);
        out.push_str("[lead]");
        let end = id
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(id.len());
        rest = &id[end..];
    }
    out + rest
}

impl Clinic {
    /// Every mail that went out so far, in the order in which they were planned.
    pub async fn mails(&self) -> Vec<Mail> {
        if self.is_smtp() {
            let mails = self.sink().received();
            return mails
                .iter()
                .map(|mail| Mail::read(&mail.to.join(", "), &mail.data))
                .collect();
        }
        let kept = captured_mail::Entity::find()
            .order_by_asc(captured_mail::Column::MessageId)
            .all(self.db())
            .await;
        kept.expect("the outbox can be read")
            .iter()
            .map(|row| Mail::read(&row.recipient, &row.raw))
            .collect()
    }

    /// Every mail to this address so far.
    pub async fn mails_to(&self, address: &str) -> Vec<Mail> {
        self.mails()
            .await
            .into_iter()
            .filter(|mail| mail.to == address)
            .collect()
    }

    /// Subjects of the mails to this address so far.
    pub async fn subjects_to(&self, address: &str) -> Vec<String> {
        self.mails_to(address)
            .await
            .into_iter()
            .map(|mail| mail.subject)
            .collect()
    }

    /// Every message, in the order in which they were planned.
    pub async fn messages(&self) -> Vec<message::Model> {
        let messages = message::Entity::find()
            .order_by_asc(message::Column::Id)
            .all(self.db())
            .await;
        messages.expect("messages can be read")
    }
}
