//! Ids as the public schema writes them: a prefix that names the kind, an underscore, 26 letters.

use std::str::FromStr;

use async_graphql::{Error, ID};
use domain::error::{Code, Refusal};
use entity::id::{TypedId, WrongId};

use super::errors::bad_argument;

/// Most ids that one argument may list.
pub const IDS_MAX: usize = 100;

/// The public form of an id.
pub fn id(id: impl TypedId + ToString) -> ID {
    ID(id.to_string())
}

/// Reads an id argument of a query.
///
/// # Errors
/// `BAD_USER_INPUT` naming the argument when it is an id of another kind or none at all.
pub fn read<T: TypedId + FromStr<Err = WrongId>>(argument: &str, id: &ID) -> Result<T, Error> {
    id.parse().map_err(|_| bad_argument(argument, &expected::<T>()))
}

/// Reads an argument that lists ids; none means that it was not given.
///
/// # Errors
/// `BAD_USER_INPUT` naming the argument when one is wrong or there are more than [`IDS_MAX`].
pub fn read_list<T: TypedId + FromStr<Err = WrongId>>(
    argument: &str,
    ids: Option<&[ID]>,
) -> Result<Option<Vec<T>>, Error> {
    let Some(ids) = ids else { return Ok(None) };
    if ids.len() > IDS_MAX {
        return Err(bad_argument(argument, &format!("At most {IDS_MAX} ids.")));
    }
    ids.iter()
        .map(|id| read(argument, id))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Reads an id of a mutation's input, where wrong input is answered as data.
///
/// # Errors
/// A refusal of the field.
pub fn read_input<T: TypedId + FromStr<Err = WrongId>>(field: &str, id: &ID) -> Result<T, Refusal> {
    id.parse()
        .map_err(|_| Refusal::new(Code::Invalid, field, expected::<T>()))
}

fn expected<T: TypedId>() -> String {
    format!("Expected an id that starts with {}_.", T::PREFIX)
}

/// The prefix of a public id.
pub fn prefix(id: &ID) -> Option<&str> {
    id.split_once('_').map(|(prefix, _)| prefix)
}

#[cfg(test)]
mod tests {
    use entity::id::{ContactId, LeadId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_id_of_another_kind_is_an_error_that_names_the_argument() {
        let contact = id(ContactId(Uuid::from_u128(7)));
        let error = read::<LeadId>("filter.leadId", &contact).unwrap_err();
        assert_eq!(
            error.message,
            "filter.leadId: Expected an id that starts with lead_."
        );
        let extensions = error.extensions.unwrap();
        assert_eq!(extensions.get("code"), Some(&"BAD_USER_INPUT".into()));
        assert_eq!(extensions.get("argument"), Some(&"filter.leadId".into()));
    }

    #[test]
    fn an_id_reads_back_as_itself() {
        let lead = LeadId(Uuid::from_u128(0x0190_1234_5678_7abc_8def_0123_4567_89ab));
        assert_eq!(read::<LeadId>("id", &id(lead)).ok(), Some(lead));
        assert_eq!(prefix(&id(lead)), Some("lead"));
    }

    #[test]
    fn a_list_of_ids_is_bounded() {
        let many = vec![id(LeadId(Uuid::from_u128(7))); IDS_MAX + 1];
        assert!(read_list::<LeadId>("ids", Some(&many)).is_err());
        assert_eq!(read_list::<LeadId>("ids", None).ok(), Some(None));
    }
}
