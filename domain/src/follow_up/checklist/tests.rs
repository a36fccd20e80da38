use chrono::DateTime;
use entity::checklist::{Items, LeadTypes, ServiceLines};
use entity::id::TypedId;
use uuid::Uuid;

use super::*;

fn line(number: u128) -> ServiceLineId {
    ServiceLineId::from_uuid(Uuid::from_u128(number))
}

fn list(key: &str, types: &[LeadType], lines: &[u128]) -> Checklist {
    Checklist {
        id: entity::id::ChecklistId::from_uuid(Uuid::nil()),
        key: key.to_owned(),
        name: key.to_owned(),
        lead_types: LeadTypes(types.to_vec()),
        service_lines: ServiceLines(lines.iter().copied().map(line).collect()),
        items: Items(Vec::new()),
        created_at: DateTime::UNIX_EPOCH,
    }
}

#[test]
fn the_first_contact_has_the_list_that_fits_the_lead_best() {
    use LeadType::{PatientAppointment, Referral};
    let lists = [
        list("event", &[], &[]),
        list("patient", &[PatientAppointment], &[]),
        list("sleep", &[], &[1]),
        list("sleep-patient", &[PatientAppointment], &[1]),
        list("a-patient", &[PatientAppointment], &[]),
    ];
    let found = |lead_type, number: Option<u128>| {
        of_lead(lists.iter(), lead_type, number.map(line)).map(|list| list.key.as_str())
    };
    assert_eq!(found(PatientAppointment, Some(1)), Some("sleep-patient"));
    assert_eq!(found(Referral, Some(1)), Some("sleep"));
    assert_eq!(
        found(PatientAppointment, Some(2)),
        Some("a-patient"),
        "the first by its key"
    );
    assert_eq!(found(PatientAppointment, None), Some("a-patient"));
    assert_eq!(
        found(Referral, Some(2)),
        None,
        "a list that names nothing is for templates"
    );
}
