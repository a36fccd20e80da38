//! The words of the mail with the link to a saved form. They are built in: the mail goes to an address that nobody has
//! proved yet, so it says that something was saved and for how long, and nothing about the person, the form or a service.

use domain::hospital::Site;

use super::paper::{self, Block, Reader, Words};

/// What is said in one language.
struct Said {
    lang: &'static str,
    opening: &'static str,
    button: &'static str,
    kept: fn(i64) -> String,
    not_you: &'static str,
}

const ENGLISH: Said = Said {
    lang: "en",
    opening: "A form was saved for this address, to be finished later. Here you can go on, send it, or delete it.",
    button: "Go on with the form",
    kept: |days| format!("What was typed is kept for {days} days, and deleted then."),
    not_you: "If it was not you, do nothing, or press the link and choose to delete it.",
};

const SPANISH: Said = Said {
    lang: "es",
    opening: "Se guardó un formulario para esta dirección, para terminarlo más tarde. Aquí puede seguir, enviarlo o \
              borrarlo.",
    button: "Seguir con el formulario",
    kept: |days| format!("Lo que se escribió se guarda {days} días y después se borra."),
    not_you: "Si no fue usted, no haga nada, o abra el enlace y elija borrarlo.",
};

/// The words in a language.
pub(super) fn words(site: &Site, language: &str, title: &str, url: &str, kept_days: i64) -> Words {
    let said = if language.starts_with("es") {
        &SPANISH
    } else {
        &ENGLISH
    };
    let kept = (said.kept)(kept_days);
    let blocks = [
        Block::Says(said.opening),
        Block::Leads {
            url,
            label: said.button,
        },
        Block::Says(&kept),
        Block::Says(said.not_you),
    ];
    paper::write(site, Reader::Contact, said.lang, title, &blocks)
}
