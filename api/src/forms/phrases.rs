//! What the pages of a form say of their own, in the languages that are spoken here. The form's own texts (title,
//! labels, hints, thanks) come from its configuration.

use std::borrow::Cow;

use chrono::NaiveDate;
use domain::error::{Code, Refusal};
use entity::form::{self, Field, FieldKind};

use super::Pressed;
use crate::phrases::fill;
use crate::tongue::Tongue;

/// The sentences of one language.
#[derive(Debug)]
pub(super) struct Phrases {
    /// BCP 47 tag.
    language: &'static str,
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
    pub save: &'static str,
    pub save_heading: &'static str,
    /// What is kept, with the days after which it counts as abandoned and those for which it is kept.
    save_terms: &'static str,
    /// The same for what is saved again by its link.
    save_again_terms: &'static str,
    /// What a saved form is, with the day on which it is deleted.
    kept_until: &'static str,
    pub agreed: &'static str,
    pub anew: &'static str,
    pub forget: &'static str,
    pub forget_heading: &'static str,
    pub forget_text: &'static str,
    pub saved: &'static str,
    pub saved_text: &'static str,
    pub over: &'static str,
    pub over_text: &'static str,
    pub finished: &'static str,
    pub finished_text: &'static str,
    pub forgotten: &'static str,
    pub forgotten_text: &'static str,
    /// Explains a refusal. None: the rules' own words are in this language.
    explain: Option<fn(Code, Option<FieldKind>) -> &'static str>,
}

const ENGLISH: Phrases = Phrases {
    language: "en",
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
    save: "Save and finish later",
    save_heading: "No time to finish?",
    save_terms: "If you press \u{201c}Save and finish later\u{201d}, you agree that we keep what you have typed and \
                 ticked here, and how you came to this page, for {} days. Then it is deleted. We send one email to the \
                 address you typed, with a link to go on or to delete it at once. If you have not sent the form after {} \
                 days, we may remind you by email, but only if you ticked a box above that allows it.",
    save_again_terms: "If you press \u{201c}Save and finish later\u{201d}, you agree that we keep what you have typed and \
                       ticked here for {} days from today. Then it is deleted. The link in your email stays the same. If you \
                       have not sent the form after {} days, we may remind you by email, but only if you agreed to that.",
    kept_until: "This is the form as you saved it. Nothing has been sent yet. We keep it until {}, and delete it then. The \
                 link in your email is the only way to it.",
    agreed: "You agreed to this when you saved the form:",
    anew: "Fill in the form anew",
    forget: "Delete what I typed",
    forget_heading: "You no longer want to send it?",
    forget_text: "Everything that was saved of this form is deleted at once. It cannot be undone.",
    saved: "We have saved your form",
    saved_text: "Open the link in our email to go on where you stopped, to send the form, or to delete it. If you came here \
                 by that link, it still works. Otherwise the email goes to the address you typed; an address gets at most \
                 three of these emails a day, so a fourth comes a day later.",
    over: "This link has ended",
    over_text: "What was saved has been deleted, because its time was over or because somebody asked for it. You can \
                fill in the form again at any time.",
    finished: "You have sent this form",
    finished_text: "We have your answers, and nobody needs to send them again.",
    forgotten: "It is deleted",
    forgotten_text: "We have deleted what was saved of this form. The link in your email has ended.",
    explain: None,
};

const SPANISH: Phrases = Phrases {
    language: "es",
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
    save: "Guardar y terminar más tarde",
    save_heading: "¿No tiene tiempo de terminar?",
    save_terms: "Si pulsa «Guardar y terminar más tarde», acepta que guardemos {} días lo que ha escrito y marcado aquí, y \
                 cómo llegó a esta página. Después se borra. Enviamos un correo a la dirección que escribió, con un enlace \
                 para seguir o para borrarlo en el momento. Si no ha enviado el formulario después de {} días, podemos \
                 recordárselo por correo, pero solo si marcó arriba una casilla que lo permite.",
    save_again_terms: "Si pulsa «Guardar y terminar más tarde», acepta que guardemos {} días desde hoy lo que ha escrito y \
                       marcado aquí. Después se borra. El enlace de su correo sigue siendo el mismo. Si no ha enviado el \
                       formulario después de {} días, podemos recordárselo por correo, pero solo si aceptó que lo hagamos.",
    kept_until: "Este es el formulario tal como lo guardó. Todavía no se ha enviado nada. Lo guardamos hasta el {} y \
                 entonces se borra. El enlace de su correo es la única manera de verlo.",
    agreed: "Al guardar el formulario aceptó esto:",
    anew: "Rellenar el formulario de nuevo",
    forget: "Borrar lo que escribí",
    forget_heading: "¿Ya no quiere enviarlo?",
    forget_text: "Todo lo que se guardó de este formulario se borra en el momento. No se puede deshacer.",
    saved: "Hemos guardado su formulario",
    saved_text: "Abra el enlace de nuestro correo para seguir donde lo dejó, para enviar el formulario o para borrarlo. Si \
                 llegó aquí con ese enlace, todavía funciona. Si no, el correo va a la dirección que escribió; una dirección \
                 recibe como mucho tres de estos correos al día, así que el cuarto llega un día después.",
    over: "Este enlace ha terminado",
    over_text: "Lo que se guardó se ha borrado, porque su plazo terminó o porque alguien lo pidió. Puede rellenar el \
                formulario de nuevo cuando quiera.",
    finished: "Ya envió este formulario",
    finished_text: "Tenemos sus respuestas, y no hace falta que las envíe de nuevo.",
    forgotten: "Está borrado",
    forgotten_text: "Hemos borrado lo que se guardó de este formulario. El enlace de su correo ha terminado.",
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

    /// What is kept of a form that is saved to be finished later, or saved again by its link; none when it cannot be saved.
    pub fn terms(&self, form: &form::Model, again: bool) -> Option<String> {
        let phrase = if again {
            self.save_again_terms
        } else {
            self.save_terms
        };
        let terms = form.finish_later()?;
        let days = [terms.kept_days, terms.abandoned_after_days].map(|days| days.to_string());
        Some(fill(phrase, &[&days[0], &days[1]]))
    }

    /// What the page behind the link to a saved form shows, and until when.
    pub fn kept_until(&self, day: NaiveDate) -> String {
        fill(self.kept_until, &[&Tongue::of(self.language).day(day)])
    }

    /// What is wrong and how to mend it.
    pub fn explain(&self, refusal: &Refusal, field: Option<&Field>, pressed: Pressed) -> Cow<'static, str> {
        match self.explain {
            Some(_) if pressed == Pressed::Save && refusal.code == Code::Required => {
                Cow::Borrowed("Escriba su dirección de correo, para que podamos enviarle el enlace.")
            }
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
        (Code::NotAllowedNow, Some(FieldKind::Email)) => {
            "El enlace es de la dirección a la que llegó. Puede cambiar la dirección al enviar el formulario."
        }
        (Code::TooLarge, Some(FieldKind::Email)) => {
            "Ya hay demasiados formularios guardados para esta dirección. Siga con el enlace del correo más reciente."
        }
        (Code::TooLarge, _) => "El texto es demasiado largo.",
        (Code::UnknownField, _) => "Este formulario no tiene ese campo.",
        _ => "No se puede leer este dato. Revíselo.",
    }
}
