//! The reader of mails is given what nobody would send: arbitrary bytes, and the corpus cut, doubled and mixed.
//!
//! A short run is part of every test run. `INBOUND_FUZZ_SECS=600 cargo test -p domain --release --test inbound_fuzz` goes
//! on for as long as it is told; the seed is printed, and `INBOUND_FUZZ_SEED` repeats a run.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use domain::inbound::classify;
use proptest::prelude::*;

/// How long one mail may take at the most, in a build without optimization.
const ONE_MAIL: Duration = Duration::from_secs(10);

/// Memory that the process may have used at the most, in KiB.
const PEAK_KIB: u64 = 400 << 10;

/// Pieces that mean something to the reader.
const PIECES: &[&str] = &[
    "\r\n",
    "\r\n\r\n",
    "--",
    "--x\r\n",
    "Content-Type: multipart/report; boundary=x\r\n",
    "Content-Type: message/rfc822\r\n\r\n",
    "Content-Type: message/delivery-status\r\n\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "Final-Recipient: rfc822; pat@example.net\r\n",
    "Action: failed\r\n",
    "Status: 5.1.1\r\n",
    "Feedback-Type: abuse\r\n",
    "charset=iso-2022-jp",
    "charset=utf-16",
    "=?utf-8?Q?=",
    "=?",
    "\u{1b}$B",
    "<blockquote>",
    "</blockquote",
    "<",
    ">",
    "> ",
    "On Monday Pat wrote:\n",
    "@",
    "b+",
    "msg_",
    ":",
    "\0",
    "boundary=\"\"",
    "multipart/digest",
    "\u{fffd}",
    "550 5.1.1 ",
    "<!--",
    "&#x",
    "STOP\r\n",
];

/// A small generator: the same seed makes the same mails.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/inbound");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the corpus")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    files
        .iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "eml"))
        .map(|path| fs::read(path).expect("a mail"))
        .collect()
}

fn mutated(corpus: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut mail = corpus[chance.below(corpus.len())].clone();
    for _ in 0..=chance.below(8) {
        let at = chance.below(mail.len() + 1);
        let end = (at + chance.below(200)).min(mail.len());
        match chance.below(8) {
            0 if at < mail.len() => mail[at] ^= 1 << chance.below(8),
            1 => drop(mail.drain(at..end)),
            2 => {
                let again = mail[at..end].to_vec();
                mail.splice(at..at, again);
            }
            3 | 4 => {
                let piece = PIECES[chance.below(PIECES.len())];
                mail.splice(at..at, piece.bytes());
            }
            5 => mail.truncate(at),
            6 => {
                let other = &corpus[chance.below(corpus.len())];
                let from = chance.below(other.len() + 1);
                let to = (from + chance.below(2_000)).min(other.len());
                mail.splice(at..at, other[from..to].iter().copied());
            }
            _ if chance.below(20) == 0 => {
                let piece = PIECES[chance.below(PIECES.len())].repeat(chance.below(60_000));
                mail.splice(at..at, piece.bytes());
            }
            _ => {}
        }
    }
    mail
}

fn read(mail: &[u8]) -> Duration {
    let begun = at_work();
    let reading = classify(mail);
    let took = at_work() - begun;
    assert!(reading.recipients.len() <= 200 && reading.message_ids.len() <= 20 && reading.why.len() < 1_000);
    assert!(took < ONE_MAIL, "{took:?} for {} bytes", mail.len());
    took
}

/// How long this thread has worked, waiting for its turn left out; by the clock where the system does not tell.
fn at_work() -> Duration {
    static BEGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| BEGIN.elapsed(), Duration::from_nanos)
}

/// The most memory that this process has used, in KiB; none where the system does not tell.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn mails_that_were_cut_doubled_and_mixed_are_read_without_harm() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("INBOUND_FUZZ_SEED").unwrap_or(20_261_127);
    let until = number("INBOUND_FUZZ_SECS").map(|secs| Instant::now() + Duration::from_secs(secs));
    let (corpus, mut chance) = (corpus(), Chance(seed));
    let (mut mails, mut slowest) = (0_u64, Duration::ZERO);
    while until.map_or(mails < 1_500, |until| Instant::now() < until) {
        slowest = slowest.max(read(&mutated(&corpus, &mut chance)));
        mails += 1;
    }
    let peak = peak_kib();
    eprintln!("seed {seed}: {mails} mails, the slowest in {slowest:?}, at most {peak:?} KiB");
    assert!(peak.is_none_or(|peak| peak < PEAK_KIB), "{peak:?} KiB");
}

#[test]
fn what_grows_without_end_is_read_up_to_a_limit() {
    let head = "From: MAILER-DAEMON@example.net\r\nSubject: failure notice\r\nMIME-Version: 1.0\r\n";
    for piece in PIECES {
        let body = piece.repeat((3 << 20) / piece.len());
        read(format!("{head}Content-Type: multipart/mixed; boundary=x\r\n\r\n{body}").as_bytes());
        read(format!("{head}{body}").as_bytes());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..3_000)) {
        read(&bytes);
    }

    #[test]
    fn any_text_after_headers_is_read_without_harm(text in "(\\PC|\\n){0,400}") {
        read(format!("From: pat@example.net\nSubject: {text}\n\n{text}").as_bytes());
    }
}
