//! The usual stack of the field for the same work: `BullMQ` and Nodemailer, which ask nobody and remember nothing.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::delivery::arrival;
use crate::smtp_sink::{Keep, ReceivedMail, SmtpSink};
use crate::{Result, say};

/// Where its program is.
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer");
/// What it does and does not.
pub const NOTE: &str = "the same bytes; no consent, no gate, no settling; 64 jobs and 32 connections";

/// Sends the mails to a sink of its own and answers the time from the first to the last.
pub async fn deliver(mails: &[ReceivedMail], redis_url: &str, directory: &Path) -> Result<Duration> {
    let installed = Command::new("npm")
        .args(["ci", "--silent", "--prefix", HOME])
        .status()
        .await?;
    if !installed.success() {
        return Err("npm could not install what it needs".into());
    }
    let file = directory.join("mails.jsonl");
    let mut lines = String::new();
    for mail in mails {
        let raw = String::from_utf8_lossy(&mail.data);
        let line = serde_json::json!({ "from": mail.from, "to": mail.to, "raw": raw });
        lines.push_str(&format!("{line}\n"));
    }
    std::fs::write(&file, lines)?;
    let sink = SmtpSink::start_with(Keep::MessageIds, None).await;
    let mut sender = Command::new("node")
        .arg(Path::new(HOME).join("send.mjs"))
        .env("REDIS_URL", redis_url)
        .env("SMTP_URL", sink.url())
        .env("MAILS", &file)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    say("It fills its queue first.");
    while sink.count() == 0 {
        if let Some(ended) = sender.try_wait()? {
            return Err(format!("it ended before it sent anything: {ended}").into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = arrival(&sink, mails.len()).await?;
    if sink.count() < mails.len() {
        return Err(format!("only {} mails came", sink.count()).into());
    }
    sender.wait().await?;
    Ok(took)
}
