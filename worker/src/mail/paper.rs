//! The paper of the mails whose words are built in: blocks that become a plain-text part and an HTML part with the same
//! look as the templates of the demo hospital. Styles stand on the elements, because mail programs drop style sheets;
//! tables are not needed for one column.

use domain::hospital::Site;

use super::escaped;

/// A piece of a mail. All of it is text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Block<'a> {
    /// A paragraph.
    Says(&'a str),
    /// What the mail is about, and perhaps more below it.
    Shows(&'a str, &'a str),
    /// A link that is the point of the mail.
    Leads {
        /// Where to.
        url: &'a str,
        /// What it is called.
        label: &'a str,
    },
}

impl Block<'_> {
    fn text(&self) -> String {
        match self {
            Self::Says(words) | Self::Shows(words, "") => (*words).to_owned(),
            Self::Shows(words, more) => format!("{words}\n{more}"),
            Self::Leads { url, label } => format!("{label}: {url}"),
        }
    }

    fn html(&self) -> String {
        let markup = match self {
            Self::Says(words) => escaped(words),
            Self::Shows(words, "") => format!("<strong>{}</strong>", escaped(words)),
            Self::Shows(words, more) => format!("<strong>{}</strong><br>\n{}", escaped(words), escaped(more)),
            Self::Leads { url, label } => format!(
                "<a href=\"{}\" style=\"display:inline-block;background-color:#14545f;color:#ffffff;font-weight:bold;\
                 padding:14px 26px;border-radius:6px;text-decoration:none\">{}</a>",
                escaped(url),
                escaped(label)
            ),
        };
        format!("<p style=\"margin:0 0 14px\">{markup}</p>\n")
    }
}

/// The two parts of a mail.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) text: String,
    pub(super) html: String,
}

/// Who reads a mail: staff need no postal address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Contact,
    Staff,
}

/// Writes blocks in a language (BCP 47) under a title.
pub(super) fn write(site: &Site, reader: Reader, lang: &str, title: &str, blocks: &[Block<'_>]) -> Words {
    let name = &site.name;
    let address = match reader {
        Reader::Contact => site.postal_address.as_str(),
        Reader::Staff => "",
    };
    let mut text: String = blocks.iter().map(|block| block.text() + "\n\n").collect();
    text.push_str("-- \n");
    for line in [name, address].into_iter().filter(|line| !line.is_empty()) {
        text.push_str(line);
        text.push('\n');
    }
    let main: String = blocks.iter().map(Block::html).collect();
    let html = page(lang, title, name, &main, address);
    Words { text, html }
}

/// An HTML page of a mail. `main` is markup already; the rest is text, and `small` may be empty.
fn page(lang: &str, title: &str, hospital: &str, main: &str, small: &str) -> String {
    let [title, hospital, small] = [title, hospital, small].map(escaped);
    let small = if small.is_empty() {
        small
    } else {
        format!("<p style=\"margin:20px 12px 0;font-size:14px;color:#4d5d62\">{small}</p>\n")
    };
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title></head>\n\
         <body style=\"margin:0;padding:0;background-color:#f3f6f7;color:#1f2d33;\
         font-family:Arial,Helvetica,sans-serif;font-size:17px;line-height:1.55\">\n\
         <div style=\"max-width:600px;margin:0 auto;padding:24px 12px\">\n\
         <p style=\"margin:0 12px 16px;font-size:18px;font-weight:bold;color:#14545f\">{hospital}</p>\n\
         <div style=\"background-color:#ffffff;border-radius:8px;padding:28px 24px 14px;overflow-wrap:break-word\">\n\
         {main}</div>\n{small}</div>\n</body>\n</html>\n"
    )
}
