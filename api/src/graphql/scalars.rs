//! Scalars of the public schema. Each is checked when the document is validated, so that wrong input is answered with
//! the argument named and nothing executed.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as Instant, NaiveDate, SecondsFormat, Utc};
use domain::clock::to_micros;
use domain::contact::email::EmailAddress as Email;
use domain::contact::phone::PhoneNumber as Phone;

/// An instant by RFC 3339, for example `2026-11-23T10:00:00Z`. An offset is required in; UTC comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub Instant<Utc>);

/// An instant by RFC 3339, for example `2026-11-23T10:00:00Z`. An offset is required in; UTC comes out.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let at = text(&value).and_then(read_instant);
        at.map(Self)
            .ok_or_else(|| InputValueError::custom("expected an instant by RFC 3339 with an offset"))
    }

    fn is_valid(value: &Value) -> bool {
        text(value).and_then(read_instant).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl From<Instant<Utc>> for DateTime {
    fn from(at: Instant<Utc>) -> Self {
        Self(at)
    }
}

impl From<DateTime> for Instant<Utc> {
    fn from(at: DateTime) -> Self {
        at.0
    }
}

fn read_instant(text: &str) -> Option<Instant<Utc>> {
    Instant::parse_from_rfc3339(text)
        .ok()
        .map(|at| to_micros(at.with_timezone(&Utc)))
}

/// A calendar day, for example `2026-11-23`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub NaiveDate);

/// A calendar day, for example `2026-11-23`.
#[Scalar]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let day = text(&value).and_then(read_day);
        day.map(Self)
            .ok_or_else(|| InputValueError::custom("expected a day as YYYY-MM-DD"))
    }

    fn is_valid(value: &Value) -> bool {
        text(value).and_then(read_day).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%d").to_string())
    }
}

impl From<NaiveDate> for Date {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

fn read_day(text: &str) -> Option<NaiveDate> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shape
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

/// A length of time in whole seconds.
#[Scalar]
impl ScalarType for Duration {
    fn parse(value: Value) -> InputValueResult<Self> {
        whole(&value)
            .map(Self)
            .ok_or_else(|| InputValueError::custom("expected whole seconds"))
    }

    fn is_valid(value: &Value) -> bool {
        whole(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::Number(self.0.into())
    }
}

/// An email address by RFC 5321, one plain address without a name.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(pub String);

/// An email address by RFC 5321, one plain address without a name.
#[Scalar]
impl ScalarType for EmailAddress {
    fn parse(value: Value) -> InputValueResult<Self> {
        let address = text(&value).and_then(|text| Email::parse(text).ok());
        address
            .map(|address| Self(address.as_str().to_owned()))
            .ok_or_else(|| InputValueError::custom("expected one email address"))
    }

    fn is_valid(value: &Value) -> bool {
        text(value).is_some_and(|text| Email::parse(text).is_ok())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A phone number. Numbers without a country are read as numbers of the United States; E.164 comes out.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(pub String);

/// A phone number. Numbers without a country are read as numbers of the United States; E.164 comes out.
#[Scalar]
impl ScalarType for PhoneNumber {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = text(&value).and_then(|text| Phone::parse(text).ok());
        number
            .map(|number| Self(number.as_str().to_owned()))
            .ok_or_else(|| InputValueError::custom("expected a phone number"))
    }

    fn is_valid(value: &Value) -> bool {
        text(value).is_some_and(|text| Phone::parse(text).is_ok())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Option<String> {
        let value = Value::String(text.to_owned());
        assert_eq!(DateTime::is_valid(&value), DateTime::parse(value.clone()).is_ok());
        match DateTime::parse(value).ok()?.to_value() {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn an_instant_needs_an_offset_and_comes_out_in_utc() {
        assert_eq!(
            instant("2026-11-23T10:00:00+02:00").as_deref(),
            Some("2026-11-23T08:00:00Z")
        );
        assert_eq!(
            instant("2026-11-23T10:00:00.1234567Z").as_deref(),
            Some("2026-11-23T10:00:00.123456Z")
        );
        assert_eq!(instant("2026-11-23T10:00:00"), None);
        assert_eq!(instant("2026-11-23"), None);
        assert_eq!(instant("now"), None);
    }

    #[test]
    fn a_day_has_one_spelling() {
        let day = |text: &str| Date::is_valid(&Value::String(text.to_owned()));
        assert!(day("2026-02-28"));
        assert!(!day("2026-02-29") && !day("2026-2-28") && !day("28.02.2026") && !day("+026-02-28"));
    }

    #[test]
    fn a_duration_is_a_whole_number() {
        assert!(Duration::is_valid(&Value::Number(90.into())));
        assert!(!Duration::is_valid(&Value::String("PT90S".to_owned())));
    }

    #[test]
    fn an_address_is_checked_before_anything_runs() {
        assert!(EmailAddress::is_valid(&Value::String(
            "pat@example.org".to_owned()
        )));
        assert!(!EmailAddress::is_valid(&Value::String("pat".to_owned())));
    }
}
