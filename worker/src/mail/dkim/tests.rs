//! Signatures are verified by the verifier of the library, against the record that an operator would publish.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};
use rcgen::{KeyPair, PKCS_ED25519};

use super::*;

const RSA: &[u8] = include_bytes!("test_rsa.pem");

const MAIL: &str = "From: Riverside <care@riverside.example>\r\nTo: Pat <pat@example.net>\r\nSubject: Hello\r\n\
                    Date: Mon, 23 Nov 2026 15:04:05 +0000\r\nMessage-ID: <1@riverside.example>\r\n\
                    MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\
                    List-Unsubscribe: <https://leads.riverside.example/u/abc>\r\n\
                    List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nHello Pat.\r\n";

fn ed25519() -> String {
    KeyPair::generate_for(&PKCS_ED25519).unwrap().serialize_pem()
}

fn signers() -> [Dkim; 2] {
    [
        Dkim::from_pem("riverside.example", "lead1", RSA).unwrap(),
        Dkim::from_pem("Riverside.example.", "lead2", ed25519().as_bytes()).unwrap(),
    ]
}

/// DNS with one record.
struct OneRecord(HashMap<Box<str>, Txt>);

impl ResolverCache<Box<str>, Txt> for OneRecord {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: std::time::Instant) {}
}

/// Whether each signature of a mail holds.
async fn verified(dkim: &Dkim, mail: &[u8]) -> Vec<bool> {
    let (name, record) = dkim.record();
    let key = DomainKey::parse(record.as_bytes()).expect("a record can be read");
    let dns = OneRecord(HashMap::from([(
        format!("{name}.").into_boxed_str(),
        Txt::DomainKey(Arc::new(key)),
    )]));
    let verifier = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap();
    let message = AuthenticatedMessage::parse(mail).unwrap();
    let outputs = verifier
        .verify_dkim(Parameters::new(&message).with_txt_cache(&dns))
        .await;
    outputs
        .iter()
        .map(|output| matches!(output.result(), DkimResult::Pass))
        .collect()
}

#[tokio::test]
async fn a_signature_of_either_kind_holds_until_a_letter_changes() {
    for dkim in signers() {
        let signed = dkim.sign(MAIL.as_bytes()).unwrap();
        assert!(
            signed.ends_with(MAIL.as_bytes()),
            "nothing of the mail is touched"
        );
        assert_eq!(verified(&dkim, &signed).await, [true], "{:?}", dkim.record());
        let text = String::from_utf8(signed).unwrap();
        for (was, is) in [
            ("Hello Pat", "Hello Bob"),
            ("Subject: Hello", "Subject: Help!"),
            ("/u/abc", "/u/abd"),
            ("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", ""),
        ] {
            let changed = text.replace(was, is);
            assert_ne!(changed, text);
            assert_eq!(verified(&dkim, changed.as_bytes()).await, [false], "{was}");
        }
    }
}

#[tokio::test]
async fn nobody_can_add_a_header_that_the_mail_does_not_have() {
    let dkim = &signers()[0];
    let signed = String::from_utf8(dkim.sign(MAIL.as_bytes()).unwrap()).unwrap();
    for added in [
        "From: Mallory <mallory@example.com>\r\n",
        "Reply-To: mallory@example.com\r\n",
        "Auto-Submitted: auto-replied\r\n",
    ] {
        let forged = signed.replace("From: Riverside", &format!("{added}From: Riverside"));
        assert_eq!(verified(dkim, forged.as_bytes()).await, [false], "{added}");
    }
}

#[test]
fn the_signature_names_what_it_covers() {
    let signed = signers()[0].sign(MAIL.as_bytes()).unwrap();
    let signed = String::from_utf8(signed).unwrap();
    let (head, _) = signed.split_once("\r\nFrom:").unwrap();
    let flat: String = head.split_whitespace().collect();
    let covered: Vec<&str> = flat
        .split(';')
        .find_map(|tag| tag.strip_prefix("h="))
        .unwrap()
        .split(':')
        .collect();
    for header in HEADERS {
        let wanted = HEADERS.iter().filter(|name| **name == header).count();
        let count = covered
            .iter()
            .filter(|name| name.eq_ignore_ascii_case(header))
            .count();
        assert_eq!(count, wanted, "{header} in {covered:?}");
    }
    assert!(flat.contains("d=riverside.example") && flat.contains("s=lead1"));
}

#[test]
fn what_cannot_sign_is_refused_by_name() {
    let short = KeyPair::generate().unwrap().serialize_pem();
    for (domain, selector, pem, said) in [
        ("not a domain", "lead1", RSA, "DKIM_DOMAIN"),
        ("riverside.example", "", RSA, "DKIM_SELECTOR"),
        ("riverside.example", "lead1", &b"no key"[..], "PEM"),
        ("riverside.example", "lead1", short.as_bytes(), "RSA of 2048"),
    ] {
        let error = Dkim::from_pem(domain, selector, pem).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let error = Dkim::from_file("riverside.example", "lead1", Path::new("/nowhere/key.pem")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/key.pem"));
}
