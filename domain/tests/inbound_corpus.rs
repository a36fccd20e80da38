//! A corpus of mails that come back, from the RFCs and in the forms of many systems and languages, each with what is to
//! be read in it.

use std::fs;
use std::path::PathBuf;

use domain::inbound::classify;
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
struct Expected {
    file: String,
    kind: String,
    class: Option<String>,
    status: Option<String>,
    recipients: Vec<String>,
    message_id: Option<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/inbound")
}

fn expected() -> Vec<Expected> {
    let text = fs::read_to_string(folder().join("expected.jsonl")).expect("the list");
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

#[test]
fn every_mail_of_the_corpus_is_read_as_what_it_is() {
    let mut wrong = Vec::new();
    let all = expected();
    assert!(all.len() >= 100, "{}", all.len());
    for want in all {
        let raw = fs::read(folder().join(&want.file)).expect(&want.file);
        let reading = classify(&raw);
        let got = Expected {
            file: want.file.clone(),
            kind: reading.kind.as_str().to_lowercase(),
            class: reading.class.map(|class| class.name().to_lowercase()),
            status: reading.status.clone(),
            message_id: reading.message_id(),
            recipients: reading.recipients.clone(),
        };
        if got != want {
            wrong.push(format!("want {want:?}\n got {got:?}\n     {}", reading.why));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} are read otherwise:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn no_mail_of_the_corpus_is_left_out_of_the_list() {
    let listed: Vec<String> = expected().into_iter().map(|want| want.file).collect();
    let files = fs::read_dir(folder()).expect("the folder");
    for file in files {
        let name = file.expect("a file").file_name().into_string().expect("a name");
        assert!(name == "expected.jsonl" || listed.contains(&name), "{name}");
    }
}
