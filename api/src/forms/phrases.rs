//! What the pages of a form say of their own, in the languages that are spoken here. The form's own texts (title,
//! labels, hints, thanks) come from its configuration.

use std::borrow::Cow;

use domain::error::{Code, Refusal};
use entity::form::{Field, FieldKind};

/// The sentences of one language.
#[derive(Debug)]
pub(super) struct Phrases {
    pub skip: &'static str,
    pub required: &'static str,
    pub optional: &'static str,
    pub choose: &'static str,
    pub send: &'static str,
    pub error: &'static str,
    pub there_is_a_problem: &'static str,
    pub your_choice: &'static str,
    pub choice_is_free: &'static str,
    pub leave_empty: &'static str,
    pub emergency: &'static str,
    pub received: &'static str,
    /// Explains a refusal. None: the rules' own words are in this language.
    explain: Option<fn(Code, Option<FieldKind>) -> &'static str>,
}

const ENGLISH: Phrases = Phrases {
    skip: "Skip to the form",
    required: "required",
    optional: "optional",
    choose: "Choose one",
    send: "Send",
    error: "Error",
    there_is_a_problem: "There is a problem",
    your_choice: "Your choice",
    choice_is_free: "You do not have to agree to anything here to send this form.",
    leave_empty: "Leave this empty",
    emergency: "This form is not for emergencies. If you need help right now, call 911.",
    received: "We have your request",
    explain: None,
};

const SPANISH: Phrases = Phrases {
    skip: "Ir al formulario",
    required: "obligatorio",
    optional: "opcional",
    choose: "Elija una opción",
    send: "Enviar",
    error: "Error",
    there_is_a_problem: "Hay un problema",
    your_choice: "Usted decide",
    choice_is_free: "No tiene que aceptar nada de esto para enviar el formulario.",
    leave_empty: "Deje esto vacío",
    emergency: "Este formulario no es para emergencias. Si necesita ayuda ahora mismo, llame al 911.",
    received: "Hemos recibido su solicitud",
    explain: Some(explain_in_spanish),
};

impl Phrases {
    /// The sentences of a language, by its BCP 47 tag; English for those not spoken here.
    pub fn of(language: &str) -> &'static Self {
        let primary = language.split('-').next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("es") {
            &SPANISH
        } else {
            &ENGLISH
        }
    }

    /// What is wrong and how to mend it.
    pub fn explain(&self, refusal: &Refusal, field: Option<&Field>) -> Cow<'static, str> {
        match self.explain {
            Some(explain) => Cow::Borrowed(explain(refusal.code, field.map(|field| field.kind))),
            None => refusal.message.clone(),
        }
    }
}

fn explain_in_spanish(code: Code, kind: Option<FieldKind>) -> &'static str {
    match (code, kind) {
        (Code::Required, Some(FieldKind::Email)) => {
            "Escriba una dirección de correo electrónico o un número de teléfono."
        }
        (Code::Required | Code::Invalid | Code::NotFound, Some(FieldKind::Select)) => {
            "Elija una de las opciones."
        }
        (Code::Required, Some(FieldKind::Checkbox)) => "Marque esta casilla para continuar.",
        (Code::Required, _) => "Complete este campo.",
        (Code::Invalid, Some(FieldKind::Email)) => "Escriba una dirección de correo como nombre@ejemplo.org.",
        (Code::Invalid, Some(FieldKind::Phone)) => {
            "Escriba un número de teléfono completo, como (614) 555-0123."
        }
        (Code::TooLarge, _) => "El texto es demasiado largo.",
        (Code::UnknownField, _) => "Este formulario no tiene ese campo.",
        _ => "No se puede leer este dato. Revíselo.",
    }
}
