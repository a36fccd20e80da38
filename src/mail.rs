//! `leadward mail`: reads mails that came back, as the pollers do.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use domain::inbound::{EXAMINED_MAX, Reading, classify};
use serde_json::{Value, json};

/// The name that stands for standard input.
const STDIN: &str = "-";

/// Prints one line of JSON a mail, and what is wrong with a file on standard error. Answers whether all could be read.
///
/// Nothing is looked up: neither a database nor a key is needed.
pub fn classify_files(files: &[PathBuf]) -> bool {
    let mut all = true;
    let mut out = io::stdout().lock();
    for file in files {
        let told = match read(file) {
            Ok(raw) => writeln!(out, "{}", line(file, &classify(&raw))),
            Err(error) => {
                all = false;
                eprintln!("leadward: {}: {error}", file.display());
                continue;
            }
        };
        if told.is_err() {
            // Nobody reads on, as when the output goes to `head`.
            return false;
        }
    }
    all
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    // One byte more than is looked at would change nothing.
    let limit = EXAMINED_MAX as u64;
    if file == Path::new(STDIN) {
        io::stdin().lock().take(limit).read_to_end(&mut raw)?;
    } else {
        File::open(file)?.take(limit).read_to_end(&mut raw)?;
    }
    Ok(raw)
}

fn line(file: &Path, reading: &Reading) -> Value {
    json!({
        "file": file.display().to_string(),
        "kind": reading.kind.as_str().to_ascii_lowercase(),
        "class": reading.class.map(|class| class.name().to_ascii_lowercase()),
        "status": reading.status,
        "recipients": reading.recipients,
        "message_id": reading.message_id(),
        "why": reading.why,
    })
}
