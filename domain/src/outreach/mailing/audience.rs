//! Whose leads a mailing is for: what people ask for is checked, and becomes a condition of SQL.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::LeadStage;
use entity::id::LeadId;
use entity::mailing::Audience;
use sea_orm::Value;
use uuid::{Builder, Uuid};

use crate::error::{Code, Refusal};
use crate::lead::form_draft::MAX_KEPT_DAYS;
use crate::playbook::Playbook;

/// Most entries of a list of an audience.
pub const LIST_MAX: usize = 100;
/// Most languages of an audience.
pub const LANGUAGES_MAX: usize = 20;

/// The audience as it is kept, each entry once, and everything that is wrong with it.
pub(super) fn read(mut audience: Audience, playbook: &Playbook) -> (Audience, Vec<Refusal>) {
    let mut refusals = Vec::new();
    each_once(&mut audience.service_line_ids);
    each_once(&mut audience.lead_types);
    each_once(&mut audience.stages);
    each_once(&mut audience.facility_ids);
    each_once(&mut audience.channels);
    for language in &mut audience.languages {
        *language = language.trim().replace('_', "-").to_ascii_lowercase();
    }
    each_once(&mut audience.languages);
    let mut refuse = |code, field: &str, message: &'static str| {
        refusals.push(Refusal::new(code, &format!("audience.{field}"), message));
    };
    for (field, len, max) in [
        ("serviceLineIds", audience.service_line_ids.len(), LIST_MAX),
        ("leadTypes", audience.lead_types.len(), LIST_MAX),
        ("stages", audience.stages.len(), LIST_MAX),
        ("facilityIds", audience.facility_ids.len(), LIST_MAX),
        ("channels", audience.channels.len(), LIST_MAX),
        ("languages", audience.languages.len(), LANGUAGES_MAX),
    ] {
        if len > max {
            refuse(Code::TooLarge, field, "These are too many.");
        }
    }
    let known_line = |id| playbook.lines.contains_key(id);
    if !audience.service_line_ids.iter().all(known_line) {
        refuse(Code::NotFound, "serviceLineIds", "There is no such service line.");
    }
    let known_facility = |id| playbook.facilities.contains_key(id);
    if !audience.facility_ids.iter().all(known_facility) {
        refuse(Code::NotFound, "facilityIds", "There is no such facility.");
    }
    if audience.stages.contains(&LeadStage::Closed) {
        let message = "No mail is sent about a lead that is closed.";
        refuse(Code::Invalid, "stages", message);
    }
    if !audience.languages.iter().all(|tag| is_language(tag)) {
        let message = "Write languages as tags such as en or es-mx.";
        refuse(Code::Invalid, "languages", message);
    }
    if let (Some(from), Some(to)) = (audience.received_from, audience.received_to)
        && to <= from
    {
        refuse(Code::Invalid, "receivedTo", "The end comes after the beginning.");
    }
    (audience, refusals)
}

fn each_once<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}

fn is_language(tag: &str) -> bool {
    let letters =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    tag.len() <= 35
        && tag.split('-').all(letters)
        && tag.split('-').next().is_some_and(|first| {
            (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_lowercase())
        })
}

/// The audience as a condition on `lead`; what it compares with is added to `values`.
pub(super) fn condition(audience: &Audience, values: &mut Vec<Value>) -> String {
    let mut parts = vec![
        "lead.erased_at IS NULL".to_owned(),
        "lead.unfinished_at IS NULL".to_owned(),
        "lead.stage <> 'CLOSED'".to_owned(),
    ];
    let texts = |list: Vec<&'static str>| -> Vec<Value> { list.into_iter().map(Value::from).collect() };
    let lists: [(&str, Vec<Value>); 5] = [
        (
            "lead.service_line_id",
            audience.service_line_ids.iter().map(|id| (*id).into()).collect(),
        ),
        (
            "lead.lead_type",
            texts(audience.lead_types.iter().map(|one| one.as_str()).collect()),
        ),
        (
            "lead.stage",
            texts(audience.stages.iter().map(|one| one.as_str()).collect()),
        ),
        (
            "lead.facility_id",
            audience.facility_ids.iter().map(|id| (*id).into()).collect(),
        ),
        (
            "lead.channel",
            texts(audience.channels.iter().map(|one| one.as_str()).collect()),
        ),
    ];
    for (column, list) in lists {
        if !list.is_empty() {
            let places: Vec<String> = list.into_iter().map(|value| place(values, value)).collect();
            parts.push(format!("{column} IN ({})", places.join(", ")));
        }
    }
    if !audience.languages.is_empty() {
        let speaks: Vec<String> = audience
            .languages
            .iter()
            .map(|tag| {
                let exact = place(values, tag.as_str().into());
                let kin = place(values, format!("{tag}-%").into());
                format!("lower(contact.language) = {exact} OR lower(contact.language) LIKE {kin}")
            })
            .collect();
        // Asked of each lead by the contact's key, not as a join: PostgreSQL would rather read all contacts.
        parts.push(format!(
            "(SELECT {} FROM contact WHERE contact.id = lead.contact_id)",
            speaks.join(" OR ")
        ));
    }
    for (at, how) in [(audience.received_from, ">="), (audience.received_to, "<")] {
        if let Some(at) = at {
            let at = place(values, at.into());
            parts.push(format!("lead.received_at {how} {at}"));
        }
    }
    parts.join(" AND ")
}

/// The number under which a value is bound.
pub(super) fn place(values: &mut Vec<Value>, value: Value) -> String {
    values.push(value);
    format!("${}", values.len())
}

/// The smallest id that a lead of an audience which begins at this instant can have, so that such leads are found without
/// looking at all older ones. An id is made when a lead comes in, and a form that was left before that and sent later keeps
/// the id of the day on which it was left.
pub(super) fn first_lead(from: Option<DateTime<Utc>>) -> Option<LeadId> {
    first_id(from? - TimeDelta::days(MAX_KEPT_DAYS.into())).map(LeadId)
}

/// The smallest id that anything made at this instant or later can have.
pub(super) fn first_id(at: DateTime<Utc>) -> Option<Uuid> {
    let millis = u64::try_from(at.timestamp_millis()).ok()?;
    Some(Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
}

#[cfg(test)]
mod tests {
    use entity::enums::{Channel, LeadType};
    use entity::id::{FacilityId, ServiceLineId};
    use proptest::prelude::*;

    use super::*;
    use crate::ground::Ground;

    async fn refused(audience: Audience) -> Vec<(Code, String)> {
        let ground = Ground::at("2026-11-23T15:00:00Z").await;
        let playbook = ground.h.playbook().await.unwrap();
        let (_, refusals) = read(audience, &playbook);
        let told = refusals
            .into_iter()
            .map(|refusal| (refusal.code, refusal.field.join(".")));
        told.collect()
    }

    #[tokio::test]
    async fn what_is_wrong_with_an_audience_is_told_all_at_once_and_at_its_field() {
        let at: DateTime<Utc> = "2026-11-23T15:00:00Z".parse().unwrap();
        let told = refused(Audience {
            service_line_ids: vec![ServiceLineId(Uuid::from_u128(1))],
            facility_ids: vec![FacilityId(Uuid::from_u128(1))],
            stages: vec![LeadStage::Closed],
            languages: vec!["klingon for beginners".to_owned()],
            received_from: Some(at),
            received_to: Some(at),
            ..Audience::default()
        })
        .await;
        let field = |code, name: &str| (code, format!("audience.{name}"));
        let expected = [
            field(Code::NotFound, "serviceLineIds"),
            field(Code::NotFound, "facilityIds"),
            field(Code::Invalid, "stages"),
            field(Code::Invalid, "languages"),
            field(Code::Invalid, "receivedTo"),
        ];
        assert_eq!(told, expected);
        let many = (0..101).map(|n| ServiceLineId(Uuid::from_u128(n))).collect();
        let told = refused(Audience {
            service_line_ids: many,
            ..Audience::default()
        })
        .await;
        assert_eq!(told[0], field(Code::TooLarge, "serviceLineIds"));
        assert_eq!(refused(Audience::default()).await, []);
    }

    #[tokio::test]
    async fn entries_are_kept_once_and_languages_in_lower_case() {
        let ground = Ground::at("2026-11-23T15:00:00Z").await;
        let playbook = ground.h.playbook().await.unwrap();
        let given = Audience {
            channels: vec![Channel::Phone, Channel::Chat, Channel::Phone],
            languages: vec![" ES_mx ".to_owned(), "es-MX".to_owned()],
            ..Audience::default()
        };
        let (kept, refusals) = read(given, &playbook);
        assert_eq!((kept.channels.len(), refusals.len()), (2, 0));
        assert_eq!(kept.languages, ["es-mx"]);
    }

    #[test]
    fn nobody_is_left_out_but_the_closed_the_erased_and_the_unfinished() {
        let mut values = Vec::new();
        let sql = condition(&Audience::default(), &mut values);
        assert_eq!(
            sql,
            "lead.erased_at IS NULL AND lead.unfinished_at IS NULL AND lead.stage <> 'CLOSED'"
        );
        assert_eq!(values.len(), 0);
    }

    #[test]
    fn a_language_means_its_regions_too() {
        let mut values = vec![1.into()];
        let audience = Audience {
            languages: vec!["es".to_owned()],
            ..Audience::default()
        };
        let sql = condition(&audience, &mut values);
        assert!(
            sql.contains("lower(contact.language) = $2 OR lower(contact.language) LIKE $3"),
            "{sql}"
        );
        assert_eq!(values[2], "es-%".into());
    }

    proptest! {
        #[test]
        fn as_many_values_are_bound_as_the_condition_has_places(
            lines in 0_u128..5, stages in 0_usize..4, languages in 0_usize..3, times in 0_u8..4, before in 0_usize..3,
        ) {
            let at: DateTime<Utc> = "2026-11-23T15:00:00Z".parse().unwrap();
            let audience = Audience {
                service_line_ids: (0..lines).map(|n| ServiceLineId(Uuid::from_u128(n))).collect(),
                lead_types: vec![LeadType::Referral; usize::from(times)],
                stages: LeadStage::ALL[..stages].to_vec(),
                languages: vec!["en".to_owned(); languages],
                received_from: (times & 1 == 1).then_some(at),
                received_to: (times & 2 == 2).then_some(at),
                ..Audience::default()
            };
            let mut values = vec![Value::from(0); before];
            let sql = condition(&audience, &mut values);
            prop_assert_eq!(sql.matches('$').count(), values.len() - before);
            for number in before + 1..=values.len() {
                let place = format!("${number}");
                prop_assert!(sql.contains(&place));
            }
        }

        #[test]
        fn no_lead_of_an_audience_is_below_its_first_id_however_long_its_form_lay(
            secs in 0_i64..1_000_000_000, later in 0_i64..10_000, lay_days in 0..=MAX_KEPT_DAYS,
        ) {
            let from = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_700_000_000 + secs);
            let received = from + TimeDelta::milliseconds(later);
            let left = received - TimeDelta::days(lay_days.into());
            let first = first_lead(Some(from)).unwrap();
            let made = Builder::from_unix_timestamp_millis(u64::try_from(left.timestamp_millis()).unwrap(), &[0; 10]);
            prop_assert!(first.0 <= made.into_uuid());
            let earliest = from - TimeDelta::days(MAX_KEPT_DAYS.into());
            let millis = first.0.get_timestamp().unwrap().to_unix().0;
            prop_assert_eq!(millis, u64::try_from(earliest.timestamp()).unwrap());
        }
    }
}
