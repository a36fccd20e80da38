//! The same statements by pgbench: what the database alone can do.
//!
//! Scripts are made from statements that the program really ran, with their values. What the program made up for one
//! run (ids, addresses, numbers) is made up anew by pgbench for each run, the same value in the same places.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{Statement, Value};
use tokio::process::Command;
use uuid::Uuid;

use crate::Result;
use crate::ground::Ground;
use crate::load::{CLIENTS, MEASURED};

/// Runs a script from as many clients as the program was asked by, and answers runs a second.
pub async fn run(ground: &Ground, name: &str, script: &str) -> Result<f64> {
    let path = ground.directory.join(format!("{name}.sql"));
    std::fs::write(&path, script)?;
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={CLIENTS}"))
        .arg(format!("--time={}", MEASURED.as_secs()))
        .arg("--file")
        .arg(&path)
        .arg(ground.database_url()?)
        .output()
        .await
        .map_err(|error| format!("pgbench (on Debian in the package postgresql) cannot be run: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout);
    let tps = told
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    match (output.status.success(), tps) {
        (true, Some(tps)) => Ok(tps),
        _ => Err(format!("pgbench failed:\n{}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// A script that reads: the statements as they are.
pub fn reading(statements: &[Statement]) -> Result<String> {
    let mut fresh = Fresh {
        since: DateTime::<Utc>::MAX_UTC,
        ids: HashMap::new(),
    };
    statements
        .iter()
        .map(|statement| fresh.line(statement, None))
        .collect()
}

/// A script that writes, from two runs of one operation: what differs between them is new in each run. Ids are new if
/// they were made after `since`.
pub fn writing(since: DateTime<Utc>, one: &[Statement], other: &[Statement]) -> Result<String> {
    let same = one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.sql == b.sql);
    if !same {
        return Err("two runs of one operation did not run the same statements".into());
    }
    let mut fresh = Fresh {
        since,
        ids: HashMap::new(),
    };
    let lines = one.iter().zip(other).map(|(a, b)| fresh.line(a, Some(b)));
    let lines: String = lines.collect::<Result<_>>()?;
    Ok(format!(
        "\\set n random(1, 1000000000000000)\nBEGIN;\n{lines}COMMIT;\n"
    ))
}

/// Tells what is new in each run.
struct Fresh {
    since: DateTime<Utc>,
    ids: HashMap<Uuid, usize>,
}

impl Fresh {
    /// A statement with its values in place.
    fn line(&mut self, statement: &Statement, other: Option<&Statement>) -> Result<String> {
        let values: &[Value] = statement.values.as_ref().map_or(&[], |values| &values.0);
        let others: &[Value] = other
            .and_then(|other| other.values.as_ref())
            .map_or(values, |values| &values.0);
        let mut pieces = statement.sql.split('$');
        let mut line = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let digits = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
            let place: usize = piece[..digits].parse()?;
            let (value, other) = values
                .get(place - 1)
                .zip(others.get(place - 1))
                .ok_or("a value is missing")?;
            line.push_str(&self.value(value, other)?);
            line.push_str(&piece[digits..]);
        }
        line.push_str(";\n");
        Ok(line)
    }

    fn value(&mut self, value: &Value, other: &Value) -> Result<String> {
        Ok(match value {
            Value::Uuid(Some(id)) if self.is_new(*id) => {
                let next = self.ids.len();
                let number = self.ids.entry(*id).or_insert(next);
                format!("md5(:n::text || ' {number}')::uuid")
            }
            Value::String(Some(text)) if value != other => format!("({}::text || :n::text)", literal(text)),
            Value::BigInt(Some(number)) if value != other => format!("(:n::bigint + {})", number % 1000),
            Value::Uuid(Some(id)) => format!("{}::uuid", literal(&id.to_string())),
            Value::String(Some(text)) => format!("{}::text", literal(text)),
            Value::ChronoDateTimeUtc(Some(at)) => format!("{}::timestamptz", literal(&at.to_rfc3339())),
            Value::Json(Some(json)) => format!("{}::jsonb", literal(&json.to_string())),
            Value::Bytes(Some(bytes)) => format!("decode('{}', 'hex')", hex::encode(bytes)),
            Value::Int(Some(number)) => number.to_string(),
            Value::BigInt(Some(number)) => format!("({number})"),
            Value::BigUnsigned(Some(number)) => number.to_string(),
            Value::Bool(Some(yes)) => yes.to_string(),
            Value::Uuid(None) => "NULL::uuid".to_owned(),
            Value::String(None) => "NULL::text".to_owned(),
            Value::ChronoDateTimeUtc(None) => "NULL::timestamptz".to_owned(),
            Value::Json(None) => "NULL::jsonb".to_owned(),
            Value::Bytes(None) => "NULL::bytea".to_owned(),
            Value::Int(None) | Value::BigInt(None) => "NULL::bigint".to_owned(),
            unknown => return Err(format!("no way is known to write {unknown:?} for pgbench").into()),
        })
    }

    fn is_new(&self, id: Uuid) -> bool {
        let made = id.get_timestamp().map(|at| at.to_unix());
        made.is_some_and(|(secs, _)| i64::try_from(secs).is_ok_and(|secs| secs >= self.since.timestamp()))
    }
}

/// Text as SQL writes it. A colon would be the beginning of a variable for pgbench, and a semicolon the end of the
/// statement's line for a reader.
fn literal(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace(':', "\\x3A")
        .replace('\n', "\\n");
    format!("E'{escaped}'")
}
