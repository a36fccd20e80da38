//! The field catalog: what a mail can say of a person and a lead, and where.
//!
//! A subject and a preheader are shown on locked screens and kept in the logs of mail servers; an address is kept by
//! browsers, proxies and link checkers. So what tells a health interest, or more of a person than the given name, stands
//! in the body of a mail or nowhere.

/// A field of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Start of the booked visit on the facility's clock, if there is one.
    AppointmentAt,
    /// Name of the facility that serves the lead.
    FacilityName,
    /// The facility's phone number; may be empty.
    FacilityPhone,
    /// The contact's family name; may be empty.
    FamilyName,
    /// Address of the page on which a form that was saved and left can be finished; of the hospital's first page when
    /// there is none.
    FinishUrl,
    /// The contact's given name; may be empty.
    GivenName,
    /// The hospital's name.
    HospitalName,
    /// The hospital's postal address.
    PostalAddress,
    /// Address of the page on which the contact sets what to hear of.
    PreferencesUrl,
    /// Canonical name of the service line, if it is known.
    ServiceLineName,
    /// Name of the team that serves the lead.
    TeamName,
    /// Address of the page that unsubscribes.
    UnsubscribeUrl,
}

/// Where a field may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// In the subject and the preheader.
    pub preview: bool,
    /// As an address: as all of it, or after `tel:`.
    pub url: bool,
}

/// The catalog, in the order of the names.
pub const CATALOG: [(Field, &str, Places); 12] = [
    (Field::AppointmentAt, "appointment_at", BODY),
    // A place can tell what one goes there for: a heart center, a women's clinic.
    (Field::FacilityName, "facility_name", BODY),
    (
        Field::FacilityPhone,
        "facility_phone",
        Places {
            preview: false,
            url: true,
        },
    ),
    (Field::FamilyName, "family_name", BODY),
    (
        Field::FinishUrl,
        "finish_url",
        Places {
            preview: false,
            url: true,
        },
    ),
    (
        Field::GivenName,
        "given_name",
        Places {
            preview: true,
            url: false,
        },
    ),
    (
        Field::HospitalName,
        "hospital_name",
        Places {
            preview: true,
            url: false,
        },
    ),
    (Field::PostalAddress, "postal_address", BODY),
    (
        Field::PreferencesUrl,
        "preferences_url",
        Places {
            preview: false,
            url: true,
        },
    ),
    (Field::ServiceLineName, "service_line_name", BODY),
    (Field::TeamName, "team_name", BODY),
    (
        Field::UnsubscribeUrl,
        "unsubscribe_url",
        Places {
            preview: false,
            url: true,
        },
    ),
];

/// Only in the body.
const BODY: Places = Places {
    preview: false,
    url: false,
};

impl Field {
    /// The name in templates.
    #[must_use]
    pub fn name(self) -> &'static str {
        CATALOG
            .iter()
            .find(|(field, ..)| *field == self)
            .map_or("", |(_, name, _)| name)
    }

    /// Where it may stand, beside the body.
    #[must_use]
    pub fn places(self) -> Places {
        CATALOG
            .iter()
            .find(|(field, ..)| *field == self)
            .map_or(BODY, |(.., places)| *places)
    }

    /// Whether an address must not even depend on it: two addresses, chosen by a condition, tell as much as the value.
    #[must_use]
    pub const fn hides_from_urls(self) -> bool {
        matches!(
            self,
            Self::AppointmentAt
                | Self::FacilityName
                | Self::FamilyName
                | Self::GivenName
                | Self::ServiceLineName
                | Self::TeamName
        )
    }
}

/// The field of this name.
pub(super) fn field(name: &str) -> Option<Field> {
    CATALOG
        .iter()
        .find(|(_, known, _)| *known == name)
        .map(|(field, ..)| *field)
}
