//! The words of the mail that asks for a second yes. They are built in: the mail goes to an address that nobody has
//! proved yet, so it says what is asked and by whom, and nothing about the person, the form or a service.

use domain::hospital::Site;

use super::escaped;

/// A mail's words.
pub(super) struct Words {
    pub(super) text: String,
    pub(super) html: String,
}

/// What is said in one language.
struct Said {
    lang: &'static str,
    opening: &'static str,
    ask: &'static str,
    button: &'static str,
    not_you: &'static str,
}

const ENGLISH: Said = Said {
    lang: "en",
    opening: "Thank you for writing to us.",
    ask: "Somebody entered this address on a form and agreed to get mail from us. Please confirm that it was you:",
    button: "Confirm",
    not_you: "If it was not you, do nothing. Without your confirmation we send you no more mail about it.",
};

const SPANISH: Said = Said {
    lang: "es",
    opening: "Gracias por escribirnos.",
    ask: "Alguien indicó esta dirección en un formulario y aceptó recibir correos nuestros. Confirme que fue usted:",
    button: "Confirmar",
    not_you: "Si no fue usted, no haga nada. Sin su confirmación no le enviaremos más correos sobre esto.",
};

/// The words for a contact of this language.
pub(super) fn words(site: &Site, language: &str, subject: &str, confirm_url: &str) -> Words {
    let said = if language.starts_with("es") {
        &SPANISH
    } else {
        &ENGLISH
    };
    let Said {
        lang,
        opening,
        ask,
        button,
        not_you,
    } = said;
    let (name, address) = (&site.name, &site.postal_address);
    let text = format!("{opening}\n\n{ask}\n\n{confirm_url}\n\n{not_you}\n\n-- \n{name}\n{address}\n");
    let [name, address, subject, url] = [name.as_str(), address, subject, confirm_url].map(escaped);
    let html = format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head><meta charset=\"utf-8\"><title>{subject}</title></head>\n<body>\n\
         <p>{opening}</p>\n<p>{ask}</p>\n<p><a href=\"{url}\">{button}</a></p>\n<p>{not_you}</p>\n\
         <p>{name}<br>\n{address}</p>\n</body>\n</html>\n"
    );
    Words { text, html }
}
