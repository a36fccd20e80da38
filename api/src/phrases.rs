//! What the public pages say, in every language that is spoken here. A phrase stands beside its translation, and one
//! without a translation does not compile. Phrases with `{}` are filled in by `fill`.

use crate::tongue::Tongue;

/// Declares the catalog: a struct with a field a phrase, and one value of it a language.
macro_rules! catalog {
    ($($name:ident { en: $en:literal, es: $es:literal $(,)? })+) => {
        /// The phrases of one language.
        #[derive(Debug)]
        #[expect(missing_docs, reason = "each phrase says itself what it is")]
        pub struct Phrases {
            $(pub $name: &'static str,)+
        }

        const ENGLISH: Phrases = Phrases { $($name: $en,)+ };
        const SPANISH: Phrases = Phrases { $($name: $es,)+ };

        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $es),)+];
    };
}

impl Phrases {
    /// The phrases of a language.
    pub const fn of(tongue: Tongue) -> &'static Self {
        match tongue {
            Tongue::English => &ENGLISH,
            Tongue::Spanish => &SPANISH,
        }
    }
}

/// A phrase with its gaps filled, one after the other.
pub(crate) fn fill(phrase: &str, values: &[&str]) -> String {
    let mut filled = String::with_capacity(phrase.len());
    let mut values = values.iter();
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once("{}") {
        filled.push_str(before);
        filled.push_str(values.next().copied().unwrap_or_default());
        rest = after;
    }
    filled + rest
}

catalog! {
    // Every page
    skip { en: "Skip to the content", es: "Ir al contenido" }
    error { en: "Error", es: "Error" }
    there_is_a_problem { en: "There is a problem", es: "Hay un problema" }

    // Pages that say what went wrong
    first_page { en: "Go to the first page", es: "Ir a la página principal" }
    not_found { en: "This page does not exist", es: "Esta página no existe" }
    not_found_why {
        en: "The address may have been mistyped, or what was here has ended.",
        es: "Es posible que la dirección esté mal escrita o que lo que había aquí haya terminado.",
    }
    too_slow { en: "This took too long to arrive", es: "Esto tardó demasiado en llegar" }
    too_slow_why {
        en: "What was sent took too long to arrive. Go back, and send it again.",
        es: "Lo que se envió tardó demasiado en llegar. Vuelva atrás y envíelo otra vez.",
    }
    too_large { en: "This is too much at once", es: "Es demasiado de una vez" }
    too_large_why {
        en: "What was sent is larger than this page takes. Shorten it and send it again.",
        es: "Lo que se envió es más grande de lo que esta página admite. Acórtelo y envíelo de nuevo.",
    }
    unreadable { en: "This did not arrive well", es: "Esto no llegó bien" }
    unreadable_why {
        en: "What was sent cannot be read. Go back, and send it again.",
        es: "No se puede leer lo que se envió. Vuelva atrás y envíelo de nuevo.",
    }
    wrong_type { en: "This kind of content is not taken", es: "No se admite este tipo de contenido" }
    wrong_type_why {
        en: "This address takes what a browser's form sends, and application/json.",
        es: "Esta dirección admite lo que envía el formulario de un navegador y application/json.",
    }
    fault { en: "Something went wrong on our side", es: "Algo falló de nuestra parte" }
    fault_why {
        en: "Nothing you did is wrong. Wait a moment, and try again.",
        es: "Usted no hizo nada mal. Espere un momento e inténtelo de nuevo.",
    }
    wait { en: "Please wait a moment", es: "Espere un momento, por favor" }
    wait_why {
        en: "There were many posts from your connection within a minute. Nothing was sent. Wait {} seconds, go back, and \
             send it again.",
        es: "Hubo muchos envíos desde su conexión en un minuto. No se envió nada. Espere {} segundos, vuelva atrás y \
             envíelo de nuevo.",
    }

    // Unsubscribing
    unsubscribe { en: "Unsubscribe", es: "Darse de baja" }
    unsubscribe_stops { en: "This stops mails from {} {}.", es: "Con esto dejará de recibir correos de {} {}." }
    unsubscribe_press {
        en: "Press the button, and you get no more of them. It takes effect at once, and you need no account.",
        es: "Pulse el botón y no recibirá más. Tiene efecto inmediato y no necesita ninguna cuenta.",
    }
    unsubscribed { en: "You are unsubscribed", es: "Se ha dado de baja" }
    unsubscribed_now {
        en: "{} will send you no more mails {}. This holds from now on, and there is nothing else to do.",
        es: "{} no le enviará más correos {}. Vale desde ahora y no tiene que hacer nada más.",
    }
    unsubscribed_but {
        en: "Mails that answer something you ask us, such as the confirmation of a form, still reach you.",
        es: "Seguirá recibiendo los correos que responden a algo que usted nos pide, como la confirmación de un formulario.",
    }
    about_marketing { en: "about our services and events", es: "sobre nuestros servicios y actividades" }
    about_care { en: "that follow up on your inquiry", es: "que dan seguimiento a su consulta" }
    about_reminder { en: "that remind you of appointments", es: "que le recuerdan sus citas" }
    about_research { en: "about research studies", es: "sobre estudios de investigación" }

    // The preference page
    choices { en: "What you hear from us", es: "Lo que recibe de nosotros" }
    choices_intro {
        en: "{} writes to you or calls you only as far as you choose here. What you save holds at once. Your care does not \
             depend on it.",
        es: "{} le escribe o le llama solo en la medida en que usted lo elija aquí. Lo que guarde vale de inmediato. Su \
             atención no depende de ello.",
    }
    saved { en: "Your choices are saved", es: "Sus preferencias están guardadas" }
    saved_now { en: "They hold from now on.", es: "Valen desde ahora." }
    unchanged { en: "Nothing to save", es: "No hay nada que guardar" }
    unchanged_why {
        en: "Everything already was as you sent it.",
        es: "Todo estaba ya como lo envió.",
    }
    stopped { en: "You are unsubscribed from everything", es: "Se ha dado de baja de todo" }
    stopped_now {
        en: "{} will not write to you or call you any more, from now on. Only what you ask for yourself is still answered.",
        es: "Desde ahora, {} no le escribirá ni le llamará más. Solo responderá a lo que usted mismo pida.",
    }
    stale { en: "Please look again", es: "Mírelo de nuevo, por favor" }
    stale_why {
        en: "Something has changed since you opened this page, so nothing was saved. Below is what holds now. Choose again \
             and save.",
        es: "Algo ha cambiado desde que abrió esta página, así que no se guardó nada. Abajo está lo que vale ahora. Elija de \
             nuevo y guarde.",
    }
    purpose_marketing { en: "News and health information", es: "Novedades e información de salud" }
    purpose_marketing_is {
        en: "Mail and calls about our services and events.",
        es: "Correos y llamadas sobre nuestros servicios y actividades.",
    }
    purpose_care { en: "Help with your requests", es: "Ayuda con sus solicitudes" }
    purpose_care_is {
        en: "What to prepare, what is missing and how to book, after you ask us for something.",
        es: "Qué preparar, qué falta y cómo programar la cita, después de que usted nos pida algo.",
    }
    purpose_reminder { en: "Appointment reminders", es: "Recordatorios de citas" }
    purpose_reminder_is { en: "Reminders of visits that you booked.", es: "Recordatorios de las citas que programó." }
    purpose_research { en: "Research studies", es: "Estudios de investigación" }
    purpose_research_is {
        en: "Invitations to take part in clinical research.",
        es: "Invitaciones a participar en investigaciones clínicas.",
    }
    purpose_tracking { en: "Which links you open", es: "Qué enlaces abre usted" }
    purpose_tracking_is {
        en: "Lets us see which links in our news you open, so that we write about what is of use. Without it we do not see it.",
        es: "Nos deja ver qué enlaces de nuestras novedades abre usted, para escribir sobre lo que le sirve. Sin ello no lo vemos.",
    }
    you_came_from { en: "The mail you came from was of this kind.", es: "El correo desde el que llegó era de este tipo." }
    by_email { en: "By email", es: "Por correo electrónico" }
    by_phone { en: "By phone call", es: "Por llamada telefónica" }
    by_sms { en: "By text message", es: "Por mensaje de texto" }
    by_post { en: "By mail on paper", es: "Por correo postal" }
    agreed_on { en: "You agreed on {}.", es: "Usted aceptó el {}." }
    agreed_to { en: "What you agreed to:", es: "Lo que aceptó:" }
    taken_back_on { en: "You ended this on {}.", es: "Usted lo canceló el {}." }
    did_not_agree { en: "You were asked and did not agree.", es: "Se le preguntó y no aceptó." }
    not_confirmed { en: "You have not confirmed this yet. We sent you a mail that asks for it.", es: "Usted aún no lo ha confirmado. Le enviamos un correo que lo pide." }
    has_ended { en: "Your agreement has ended.", es: "Su consentimiento ha terminado." }
    not_asked { en: "You have not agreed to this.", es: "Usted no ha aceptado esto." }
    ticking_agrees { en: "If you tick this box, you agree to:", es: "Si marca esta casilla, acepta lo siguiente:" }
    lines { en: "Topics", es: "Temas" }
    lines_is {
        en: "News and health information about what you asked us about. Untick what you do not want to read about.",
        es: "Novedades e información de salud sobre lo que nos consultó. Desmarque lo que no quiera leer.",
    }
    often { en: "How often at most", es: "Con qué frecuencia, como máximo" }
    often_is { en: "For news and health information by email.", es: "Para novedades e información de salud por correo electrónico." }
    often_any { en: "No limit of my own", es: "Sin límite propio" }
    often_once { en: "At most once a week", es: "Como máximo una vez por semana" }
    often_times { en: "At most {} times a week", es: "Como máximo {} veces por semana" }
    pause { en: "Pause until", es: "Pausa hasta" }
    pause_is {
        en: "No news and health information by email before this day. Leave it empty for no pause.",
        es: "Sin novedades ni información de salud por correo electrónico antes de este día. Déjelo vacío si no quiere pausa.",
    }
    language { en: "Language", es: "Idioma" }
    language_is { en: "For this page and, where we can, for what we write to you.", es: "Para esta página y, donde podamos, para lo que le escribimos." }
    save { en: "Save my choices", es: "Guardar mis preferencias" }
    stop { en: "Unsubscribe from everything", es: "Darse de baja de todo" }
    stop_is {
        en: "This ends all of the above at once, on every way of reaching you. You can come back and choose again at any time.",
        es: "Esto termina de inmediato con todo lo anterior, por cualquier medio. Puede volver y elegir de nuevo en cualquier \
             momento.",
    }
    held { en: "What we hold about you", es: "Lo que tenemos sobre usted" }
    held_is {
        en: "Addresses are shown in part, in case somebody looks over your shoulder.",
        es: "Las direcciones se muestran en parte, por si alguien mira por encima de su hombro.",
    }
    held_name { en: "Name", es: "Nombre" }
    held_email { en: "Email", es: "Correo electrónico" }
    held_phone { en: "Phone", es: "Teléfono" }
    held_since { en: "With us since", es: "Con nosotros desde" }

    // What is wrong on the preference page
    wrong_pause { en: "Choose a day that is still to come, or leave it empty.", es: "Elija un día que aún no haya llegado o déjelo vacío." }
    wrong_pause_long {
        en: "A pause has at most two years. To end mail for good, untick its box.",
        es: "Una pausa dura como máximo dos años. Para no recibir más correo, desmarque su casilla.",
    }
    wrong_choice { en: "Choose among what is offered here.", es: "Elija entre lo que se ofrece aquí." }
    wrong_field { en: "This page has no such field.", es: "Esta página no tiene ese campo." }
    wrong_twice { en: "This was sent more than once.", es: "Esto se envió más de una vez." }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_is_said_in_both_languages_with_the_same_gaps() {
        assert!(!ALL.is_empty());
        for (name, english, spanish) in ALL {
            assert!(!english.trim().is_empty() && !spanish.trim().is_empty(), "{name}");
            assert_eq!(
                english.matches("{}").count(),
                spanish.matches("{}").count(),
                "{name}"
            );
            // Only this word is the same in both.
            assert!(english != spanish || *name == "error", "{name} is not translated");
        }
    }

    #[test]
    fn gaps_are_filled_in_their_order() {
        assert_eq!(fill("{} and {}.", &["a", "{}"]), "a and {}.");
        assert_eq!(fill("none", &["a"]), "none");
        assert_eq!(fill("{}", &[]), "");
    }
}
