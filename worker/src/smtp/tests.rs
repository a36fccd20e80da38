//! Sends against the sink: what the engine is told must be what happened.

mod exim;
mod tls;

use std::time::Duration;

use lettre::address::Envelope;

use super::smtp_sink::{Behavior, Keep, SmtpSink};
use super::*;

const MAIL: &[u8] = b"Message-ID: <01J.test@mail.example.org>\r\nSubject: Hello\r\n\r\nSee you soon.\r\n.. and .dots\r\n.\r\n";

fn pool_to(sink: &SmtpSink, connections: usize) -> SmtpPool {
    pool_with(sink, |config| config.connections = connections)
}

fn pool_with(sink: &SmtpSink, change: impl FnOnce(&mut SmtpConfig)) -> SmtpPool {
    let mut config: SmtpConfig = sink.url().parse().unwrap();
    change(&mut config);
    SmtpPool::new(config).unwrap()
}

fn envelope() -> Envelope {
    to("pat@example.net")
}

fn to(address: &str) -> Envelope {
    Envelope::new(
        Some("b+7f@bounce.example.org".parse().unwrap()),
        vec![address.parse().unwrap()],
    )
    .unwrap()
}

fn not_sent(class: Class, stage: Stage, code: u16, enhanced: &str, reply: &str) -> SendError {
    SendError::NotSent {
        class,
        stage,
        code: Some(code),
        enhanced: Some(enhanced.to_owned()),
        reply: reply.to_owned(),
    }
}

fn refuse_all(reply: &str) -> Behavior {
    Behavior::RefuseRecipient {
        reply: reply.to_owned(),
        prefix: String::new(),
    }
}

#[tokio::test]
async fn a_mail_arrives_byte_for_byte() {
    let sink = SmtpSink::start().await;
    let accepted = pool_to(&sink, 1).send(&envelope(), MAIL).await.unwrap();
    assert_eq!(accepted.reply, "250 2.0.0 kept");
    sink.wait_for(1).await;
    let received = sink.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].from, "b+7f@bounce.example.org");
    assert_eq!(received[0].to, ["pat@example.net"]);
    assert_eq!(received[0].message_id, "<01J.test@mail.example.org>");
    assert_eq!(received[0].data, MAIL);
}

#[tokio::test]
async fn a_bare_line_feed_smuggles_no_second_mail() {
    let sink = SmtpSink::start().await;
    let raw = b"Subject: one\n\nfirst\n.\nMAIL FROM:<x@example.org>\nRCPT TO:<y@example.org>\nDATA\r\rsecond\n.\r\n";
    pool_to(&sink, 1).send(&envelope(), raw).await.unwrap();
    let received = sink.received();
    assert_eq!(received.len(), 1);
    let text = String::from_utf8(received[0].data.clone()).unwrap();
    assert!(
        text.starts_with("Subject: one\r\n\r\nfirst\r\n.\r\nMAIL FROM:<x@example.org>\r\n"),
        "{text:?}"
    );
    assert!(text.ends_with("DATA\r\n\r\nsecond\r\n.\r\n"), "{text:?}");
}

#[tokio::test]
async fn one_connection_carries_many_mails_up_to_its_limit() {
    let sink = SmtpSink::start_with(Keep::MessageIds, None).await;
    let pool = pool_with(&sink, |config| {
        config.connections = 1;
        config.mails_per_connection = 10;
    });
    for _ in 0..30 {
        pool.send(&envelope(), MAIL).await.unwrap();
    }
    assert_eq!((sink.count(), sink.connections()), (30, 3));
    assert!(sink.received().iter().all(|mail| mail.data.is_empty()));
    assert_eq!(sink.message_ids()[29], "<01J.test@mail.example.org>");
}

#[tokio::test]
async fn refusals_say_whether_when_and_why() {
    let sink = SmtpSink::start().await;
    let pool = pool_to(&sink, 1);
    let cases = [
        (
            Behavior::RefuseSender("550 5.7.1 not from you".to_owned()),
            not_sent(
                Class::Permanent,
                Stage::Mail,
                550,
                "5.7.1",
                "550 5.7.1 not from you",
            ),
        ),
        (
            refuse_all("550 5.1.1 <pat@example.net>: no such user"),
            not_sent(
                Class::Permanent,
                Stage::Recipient,
                550,
                "5.1.1",
                "550 5.1.1 [address] no such user",
            ),
        ),
        (
            refuse_all("450 4.2.1 come back later"),
            not_sent(
                Class::Transient,
                Stage::Recipient,
                450,
                "4.2.1",
                "450 4.2.1 come back later",
            ),
        ),
        (
            Behavior::RefuseData("451 4.3.0 no room".to_owned()),
            not_sent(Class::Transient, Stage::Data, 451, "4.3.0", "451 4.3.0 no room"),
        ),
        (
            Behavior::RefuseMessage("554 5.6.0 looks like spam".to_owned()),
            not_sent(
                Class::Permanent,
                Stage::Content,
                554,
                "5.6.0",
                "554 5.6.0 looks like spam",
            ),
        ),
        (
            Behavior::RefuseMessage("452 4.3.1 disk full".to_owned()),
            not_sent(
                Class::Transient,
                Stage::Content,
                452,
                "4.3.1",
                "452 4.3.1 disk full",
            ),
        ),
    ];
    for (behavior, expected) in cases {
        sink.behave_times(1, behavior);
        let error = pool.send(&envelope(), MAIL).await.unwrap_err();
        assert_eq!(
            error.is_retryable(),
            matches!(
                expected,
                SendError::NotSent {
                    class: Class::Transient,
                    ..
                }
            )
        );
        assert_eq!(error, expected);
        // The connection is reset, not lost, and the next mail goes through it.
        pool.send(&envelope(), MAIL).await.unwrap();
    }
    assert_eq!((sink.count(), sink.connections()), (6, 1));
}

#[tokio::test]
async fn a_refusal_can_be_for_some_addresses_only() {
    let sink = SmtpSink::start().await;
    let pool = pool_to(&sink, 1);
    let reply = "550 5.1.1 gone".to_owned();
    sink.behave(Behavior::RefuseRecipient {
        reply,
        prefix: "gone".to_owned(),
    });
    pool.send(&to("gone.pat@example.net"), MAIL).await.unwrap_err();
    pool.send(&to("pat@example.net"), MAIL).await.unwrap();
    let two = Envelope::new(
        None,
        vec![
            "a@example.net".parse().unwrap(),
            "gone@example.net".parse().unwrap(),
        ],
    );
    pool.send(&two.unwrap(), MAIL).await.unwrap_err();
    assert_eq!(sink.count(), 1, "a mail to two goes to both or to none");
}

#[tokio::test]
async fn a_lost_answer_to_the_final_dot_is_unknown_and_not_tried_again() {
    let sink = SmtpSink::start().await;
    let pool = pool_to(&sink, 1);
    pool.send(&envelope(), MAIL).await.unwrap();
    sink.behave_times(1, Behavior::StoredWithoutReply);
    let error = pool.send(&envelope(), MAIL).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "{error:?}");
    assert!(!error.is_retryable());
    assert_eq!(sink.count(), 2);

    sink.behave_times(1, Behavior::LostWithoutReply);
    let error = pool.send(&envelope(), MAIL).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "{error:?}");
    assert_eq!(sink.count(), 2, "from here both look the same");

    pool.send(&envelope(), MAIL).await.unwrap();
    assert_eq!(
        (sink.count(), sink.connections()),
        (3, 3),
        "a broken connection is not used again"
    );
}

#[tokio::test]
async fn a_break_before_the_final_dot_is_not_sent() {
    let sink = SmtpSink::start().await;
    let pool = pool_to(&sink, 1);
    sink.behave(Behavior::DropInMessage);
    // More than the socket's buffers hold, so that the break is seen while the message is still being written.
    let mut large = MAIL.to_vec();
    large.resize(64 * 1024 * 1024, b'x');
    let error = pool.send(&envelope(), &large).await.unwrap_err();
    assert!(
        matches!(
            error,
            SendError::NotSent {
                class: Class::Transient,
                stage: Stage::Content,
                code: None,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(sink.count(), 0);
}

#[tokio::test]
async fn silence_after_the_final_dot_is_unknown_in_the_end() {
    let sink = SmtpSink::start().await;
    let pool = pool_with(&sink, |config| {
        config.timeouts.final_reply = Duration::from_millis(100)
    });
    sink.behave(Behavior::HoldReply);
    let error = pool.send(&envelope(), MAIL).await.unwrap_err();
    assert_eq!(
        error,
        SendError::Unknown {
            detail: "no answer in time".to_owned()
        }
    );
    sink.wait_for(1).await;
}

#[tokio::test]
async fn a_late_answer_is_still_an_answer() {
    let sink = SmtpSink::start().await;
    let pool = pool_to(&sink, 1);
    sink.behave(Behavior::HoldReply);
    let release = async {
        sink.wait_for(1).await;
        sink.behave(Behavior::Accept);
    };
    let envelope = envelope();
    let (outcome, ()) = tokio::join!(pool.send(&envelope, MAIL), release);
    assert_eq!(outcome.unwrap().reply, "250 2.0.0 kept, at last");
}

#[tokio::test]
async fn a_send_that_was_cancelled_leaves_no_half_used_connection() {
    let sink = SmtpSink::start().await;
    let pool = pool_to(&sink, 1);
    sink.behave(Behavior::HoldReply);
    let given_up = envelope();
    tokio::select! {
        _ = pool.send(&given_up, MAIL) => panic!("nothing was answered"),
        () = sink.wait_for(1) => {}
    }
    sink.behave(Behavior::Accept);
    // On the old connection this would read the held answer and believe it to be its own.
    pool.send(&envelope(), MAIL).await.unwrap();
    assert_eq!((sink.count(), sink.connections()), (2, 2));
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_is_replaced_without_a_word() {
    let sink = SmtpSink::start().await;
    let pool = pool_to(&sink, 1);
    pool.send(&envelope(), MAIL).await.unwrap();
    for behavior in [
        Behavior::DropAtMail,
        Behavior::RefuseSender("421 4.4.2 idle too long".to_owned()),
    ] {
        sink.behave_times(1, behavior);
        pool.send(&envelope(), MAIL).await.unwrap();
    }
    assert_eq!((sink.count(), sink.connections()), (3, 3));

    // A new connection that is dropped too is an answer.
    sink.behave(Behavior::DropAtMail);
    let error = pool.send(&envelope(), MAIL).await.unwrap_err();
    assert!(
        matches!(
            error,
            SendError::NotSent {
                class: Class::Transient,
                stage: Stage::Mail,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(sink.connections(), 4, "tried once on a new one, not for ever");

    // One that was new to begin with is no stale one.
    pool.send(&envelope(), MAIL).await.unwrap_err();
    assert_eq!(sink.connections(), 5);
}

#[tokio::test]
async fn a_connection_does_not_wait_to_fill_its_packets() {
    let sink = SmtpSink::start().await;
    let connector = Connector::new(Arc::new(sink.url().parse().unwrap())).unwrap();
    assert!(connector.dial().await.unwrap().nodelay().unwrap());
}

#[tokio::test]
async fn an_idle_connection_is_asked_before_it_is_used() {
    let sink = SmtpSink::start().await;
    let pool = pool_with(&sink, |config| config.probe_after_idle = Duration::ZERO);
    pool.send(&envelope(), MAIL).await.unwrap();
    pool.send(&envelope(), MAIL).await.unwrap();
    assert_eq!(sink.connections(), 1, "a live one is kept");
    sink.behave_times(1, Behavior::DropAtNoop);
    pool.send(&envelope(), MAIL).await.unwrap();
    assert_eq!(sink.connections(), 2, "a dead one is noticed");
    let pool = pool_with(&sink, |config| config.max_age = Duration::ZERO);
    pool.send(&envelope(), MAIL).await.unwrap();
    pool.send(&envelope(), MAIL).await.unwrap();
    assert_eq!(sink.connections(), 4, "an old one is not");
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_a_reason_to_try_later() {
    let sink = SmtpSink::start().await;
    let (patient, hasty) = (
        pool_to(&sink, 1),
        pool_with(&sink, |config| {
            config.timeouts.connect = Duration::from_millis(50)
        }),
    );
    for (pool, behavior) in [
        (&hasty, Behavior::HangAtConnect),
        (&patient, Behavior::DropAtConnect),
        (&patient, Behavior::RefuseConnection("421 4.3.2 busy".to_owned())),
        (
            &patient,
            Behavior::RefuseConnection("554 5.7.1 you are blocked".to_owned()),
        ),
    ] {
        sink.behave_times(1, behavior.clone());
        let error = pool.send(&envelope(), MAIL).await.unwrap_err();
        assert!(
            matches!(
                error,
                SendError::NotSent {
                    class: Class::Transient,
                    stage: Stage::Connect,
                    ..
                }
            ),
            "{behavior:?}: {error:?}"
        );
    }
    patient.send(&envelope(), MAIL).await.unwrap();

    let closed = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let pool = SmtpPool::new(format!("smtp://{closed}").parse().unwrap()).unwrap();
    let error = pool.check().await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn waiting_for_a_connection_has_an_end() {
    let sink = SmtpSink::start().await;
    let pool = pool_with(&sink, |config| {
        config.connections = 1;
        config.timeouts.wait = Duration::from_millis(20);
    });
    sink.behave(Behavior::HoldReply);
    let (first, second) = (envelope(), envelope());
    let later = async {
        sink.wait_for(1).await;
        let error = pool.send(&second, MAIL).await.unwrap_err();
        sink.behave(Behavior::Accept);
        error
    };
    let (outcome, error) = tokio::join!(pool.send(&first, MAIL), later);
    outcome.unwrap();
    assert!(
        error.is_retryable() && error.to_string().contains("became free"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_takes_its_time_is_waited_for() {
    let sink = SmtpSink::start().await;
    sink.behave(Behavior::ReplyAfter(Duration::from_millis(20)));
    let began = std::time::Instant::now();
    pool_to(&sink, 1).send(&envelope(), MAIL).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn addresses_beyond_ascii_are_announced() {
    let sink = SmtpSink::start().await;
    let pool = pool_to(&sink, 1);
    pool.send(&to("jürgen@example.net"), "Subject: é\r\n\r\nü\r\n".as_bytes())
        .await
        .unwrap();
    assert_eq!(sink.received()[0].to, ["jürgen@example.net"]);
    assert_eq!(sink.received()[0].data, "Subject: é\r\n\r\nü\r\n".as_bytes());
}

#[tokio::test]
async fn signing_in_works_by_plain_and_by_login() {
    // "\0ward\0s3cret:" whole, and in two parts.
    for (mechanisms, expected) in [
        ("PLAIN LOGIN", vec!["AHdhcmQAczNjcmV0Og=="]),
        ("LOGIN", vec!["d2FyZA==", "czNjcmV0Og=="]),
    ] {
        let sink = SmtpSink::start_with(Keep::Bodies, Some(mechanisms)).await;
        let anonymous = pool_to(&sink, 1).send(&envelope(), MAIL).await.unwrap_err();
        assert!(
            anonymous.is_retryable(),
            "a missing sign-in is our fault, not the message's: {anonymous:?}"
        );

        let url = format!("smtp://ward:s3cret%3A@{}", sink.addr());
        let pool = SmtpPool::new(url.parse().unwrap()).unwrap();
        pool.send(&envelope(), MAIL).await.unwrap();
        pool.send(&envelope(), MAIL).await.unwrap();
        assert_eq!(sink.logins(), expected, "signed in once per connection");
        assert_eq!(sink.count(), 2);
    }
}

#[tokio::test]
async fn closing_says_goodbye_and_refuses_what_comes_after() {
    let sink = SmtpSink::start().await;
    let pool = pool_to(&sink, 2);
    pool.check().await.unwrap();
    assert_eq!(pool.open_connections(), 1);
    pool.close().await;
    assert_eq!(pool.open_connections(), 0);
    let error = pool.send(&envelope(), MAIL).await.unwrap_err();
    assert!(
        error.is_retryable() && error.to_string().contains("closed"),
        "{error}"
    );
}

/// Not a test: prints what the wire carries, for `cargo test -p worker -- --ignored --nocapture how_fast`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn how_fast() {
    for connections in [1, 16] {
        let sink = SmtpSink::start_with(Keep::MessageIds, None).await;
        let pool = pool_to(&sink, connections);
        let mut mail = MAIL.to_vec();
        mail.resize(2_048, b'x');
        let (mail, total) = (Arc::new(mail), 8_000);
        let started = std::time::Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let (pool, mail) = (pool.clone(), Arc::clone(&mail));
            senders.spawn(async move {
                for _ in 0..total / connections {
                    pool.send(&envelope(), &mail).await.unwrap();
                }
            });
        }
        senders.join_all().await;
        let rate = total as f64 / started.elapsed().as_secs_f64();
        assert_eq!(sink.count(), total);
        eprintln!("{connections} connections: {rate:.0} mails/s");
    }
}
