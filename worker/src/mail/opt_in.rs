//! The words of the mail that asks for a second yes. They are built in: the mail goes to an address that nobody has
//! proved yet, so it says what is asked and by whom, and nothing about the person, the form or a service.

use domain::hospital::Site;

use super::paper::{self, Block, Reader, Words};

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
    ask: "Somebody entered this address on a form and agreed to get mail from us. Please confirm that it was you.",
    button: "Confirm",
    not_you: "If it was not you, do nothing. Without your confirmation we send you no more mail about it.",
};

const SPANISH: Said = Said {
    lang: "es",
    opening: "Gracias por escribirnos.",
    ask: "Alguien indicó esta dirección en un formulario y aceptó recibir correos nuestros. Confirme que fue usted.",
    button: "Confirmar",
    not_you: "Si no fue usted, no haga nada. Sin su confirmación no le enviaremos más correos sobre esto.",
};

/// The words in a language.
pub(super) fn words(site: &Site, language: &str, title: &str, confirm_url: &str) -> Words {
    let said = if language.starts_with("es") {
        &SPANISH
    } else {
        &ENGLISH
    };
    let blocks = [
        Block::Says(said.opening),
        Block::Says(said.ask),
        Block::Leads {
            url: confirm_url,
            label: said.button,
        },
        Block::Says(said.not_you),
    ];
    paper::write(site, Reader::Contact, said.lang, title, &blocks)
}
