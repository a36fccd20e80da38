use super::*;

fn parse(text: &str) -> SmtpConfig {
    text.parse().unwrap()
}

fn refusal(text: &str) -> String {
    text.parse::<SmtpConfig>().unwrap_err().to_string()
}

#[test]
fn another_machine_is_spoken_to_with_starttls_unless_told_otherwise() {
    let config = parse("smtp://mail.example.org");
    assert_eq!((config.security, config.port), (Security::Required, 587));
    let config = parse("smtp://mail.example.org?tls=none");
    assert_eq!((config.security, config.port), (Security::None, 25));
    let config = parse("smtp://mail.example.org/?tls=opportunistic");
    assert_eq!((config.security, config.port), (Security::Opportunistic, 25));
    let config = parse("smtps://mail.example.org");
    assert_eq!((config.security, config.port), (Security::Implicit, 465));
    assert_eq!(parse("smtp://mail.example.org:2525").port, 2525);
}

#[test]
fn a_loopback_relay_needs_no_tls() {
    for host in [
        "127.0.0.1",
        "127.3.4.5",
        "localhost",
        "LocalHost",
        "mail.localhost",
        "[::1]",
    ] {
        let config = parse(&format!("smtp://{host}:1025"));
        assert_eq!((config.security, config.port), (Security::None, 1025), "{host}");
        assert!(config.is_local(), "{host}");
    }
    assert_eq!(parse("smtp://[::1]").host, "::1");
    assert_eq!(
        parse("smtp://localhost?tls=required").security,
        Security::Required
    );
    assert_eq!(parse("smtp://127.0.0.1.example.org").security, Security::Required);
    assert_eq!(parse("smtp://notlocalhost").security, Security::Required);
}

#[test]
fn user_and_password_are_percent_decoded() {
    let config = parse("smtps://ward%40example.org:p%3Ass+w%2Frd%25@mail.example.org");
    let expected = Credentials::new("ward@example.org".to_owned(), "p:ss+w/rd%".to_owned());
    assert_eq!(config.credentials, Some(expected));
    assert_eq!(parse("smtp://mail.example.org").credentials, None);
}

#[test]
fn half_a_sign_in_is_refused() {
    for text in [
        "smtp://ward@h.example",
        "smtp://:secret@h.example",
        "smtp://w%00:s@h.example",
        "smtp://w:%ff@h.example",
    ] {
        assert!(refusal(text).contains("user and password"), "{text}");
    }
}

#[test]
fn the_password_shows_nowhere() {
    let config = parse("smtp://ward:tonsillectomy@mail.example.org");
    assert!(!format!("{config:?}").contains("tonsillectomy"));
    for text in [
        "smtp://ward:tonsillectomy@mail.example.org/path",
        "smtp://ward:tonsillectomy@mail.example.org:99999",
        "smtp://ward:tonsillectomy@mail.example.org?tls=maybe",
        "smtp://ward:tonsillectomy@mail.example.org?passwd=tonsillectomy",
        "http://ward:tonsillectomy@mail.example.org",
    ] {
        let error = text.parse::<SmtpConfig>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("tonsillectomy"), "{text}");
    }
}

#[test]
fn options_set_what_they_name_and_nothing_unknown_passes() {
    let config = parse(
        "smtp://h.example?ca=/etc/leadward/ca.pem&hello=app.example.org&connect_secs=5&command_secs=7&final_secs=90",
    );
    assert_eq!(config.ca.as_deref(), Some(Path::new("/etc/leadward/ca.pem")));
    assert_eq!(config.hello.as_deref(), Some("app.example.org"));
    assert_eq!(config.timeouts.connect, Duration::from_secs(5));
    assert_eq!(config.timeouts.command, Duration::from_secs(7));
    assert_eq!(config.timeouts.final_reply, Duration::from_secs(90));
    assert_eq!(
        config.timeouts.longest_send(),
        Duration::from_secs(30 + 2 * 5 + 5 * 7 + 90)
    );

    assert!(refusal("smtp://h.example?tsl=none").contains("unknown option"));
    assert!(refusal("smtp://h.example?tls=yes").contains("`tls`"));
    assert!(refusal("smtp://h.example?final_secs=0").contains("`final_secs`"));
    assert!(refusal("smtp://h.example?connect_secs=soon").contains("`connect_secs`"));
    assert!(refusal("smtp://h.example?hello=a%0D%0AMAIL").contains("`hello`"));
    assert!(refusal("smtps://h.example?tls=none").contains("`tls`"));
}

#[test]
fn what_is_no_smtp_url_is_refused() {
    assert!(refusal("mail.example.org:25").contains("smtp://"));
    assert!(refusal("http://mail.example.org").contains("smtp://"));
    assert!(refusal("").contains("not a URL"));
    assert!(refusal("smtp://").contains("host"));
    assert!(refusal("smtp://h.example/inbox").contains("path"));
}
