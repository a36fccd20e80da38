use super::*;

fn envelope() -> Envelope {
    Envelope::new(
        Some("b+7f@bounce.example.org".parse().unwrap()),
        vec!["Pat.Doe@example.net".parse().unwrap()],
    )
    .unwrap()
}

#[test]
fn replies_lose_their_addresses() {
    let envelope = envelope();
    for (reply, expected) in [
        (
            "550 5.1.1 <pat.doe@example.net>: unknown",
            "550 5.1.1 [address] unknown",
        ),
        ("550 no mailbox PAT.DOE here", "550 no mailbox [address] here"),
        (
            "550 see https://x.example/?p=pat.doe%40example.net now",
            "550 see [address] now",
        ),
        (
            "550 mail from b+7f@bounce.example.org rejected",
            "550 mail from [address] rejected",
        ),
        (
            "550 user \"pat.doe\" unknown,\r\n ask  them",
            "550 user [address] unknown, ask them",
        ),
    ] {
        assert_eq!(tidy(reply, Some(&envelope)), expected);
    }
    assert_eq!(
        tidy("535 bad password for ward@example.org", None),
        "535 bad password for [address]"
    );
}

#[test]
fn replies_are_short_whatever_the_server_writes() {
    let long = "é".repeat(5_000);
    assert_eq!(tidy(&long, None).chars().count(), REPLY_LIMIT + 1);
    assert_eq!(tidy("a\u{1b}[31mb", None), "a[31mb");
}

#[test]
fn enhanced_codes_are_read_only_where_they_belong() {
    assert_eq!(enhanced_code("5.1.1 unknown"), Some("5.1.1".to_owned()));
    assert_eq!(enhanced_code("4.7.28"), Some("4.7.28".to_owned()));
    for text in [
        "",
        "unknown 5.1.1",
        "3.1.1 no such class",
        "5.1",
        "5.1.1.1",
        "5.1234.1",
        "5.x.1",
        "5..1",
        "10.0.0.1",
    ] {
        assert_eq!(enhanced_code(text), None, "{text}");
    }
}

#[test]
fn a_wrong_password_refuses_no_message() {
    assert_eq!(class_of(Stage::Connect, 535), Class::Transient);
    assert_eq!(class_of(Stage::Connect, 554), Class::Transient);
    assert_eq!(class_of(Stage::Mail, 530), Class::Transient);
    assert_eq!(class_of(Stage::Mail, 550), Class::Permanent);
    assert_eq!(class_of(Stage::Recipient, 451), Class::Transient);
    assert_eq!(class_of(Stage::Content, 554), Class::Permanent);
}
