//! The look of the mails whose words are built in: the same card on a quiet ground as the templates of the demo hospital.
//! Styles stand on the elements, because mail programs drop style sheets; tables are not needed for one column.

use super::escaped;

/// An HTML page of a mail. `main` is markup already; the rest is text, and `small` may be empty.
pub(super) fn page(lang: &str, title: &str, hospital: &str, main: &str, small: &str) -> String {
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

/// A paragraph of markup.
pub(super) fn paragraph(markup: &str) -> String {
    format!("<p style=\"margin:0 0 14px\">{markup}</p>\n")
}

/// A link that is the point of the mail. Both are text.
pub(super) fn button(url: &str, label: &str) -> String {
    let [url, label] = [url, label].map(escaped);
    paragraph(&format!(
        "<a href=\"{url}\" style=\"display:inline-block;background-color:#14545f;color:#ffffff;font-weight:bold;\
         padding:14px 26px;border-radius:6px;text-decoration:none\">{label}</a>"
    ))
}
