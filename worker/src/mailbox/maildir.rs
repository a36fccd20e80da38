//! A directory in the Maildir format: each mail is a file in `new` or `cur`.

use std::io;
use std::path::{Path, PathBuf};

use domain::inbound::EXAMINED_MAX;
use tokio::fs;
use tokio::io::AsyncReadExt;

/// The folder within it (in the form of Maildir++) into which mails are moved once they are stored: people read them there.
const DONE: &str = ".leadward";

/// A directory in the Maildir format.
#[derive(Clone, Debug)]
pub struct Maildir {
    path: PathBuf,
}

/// A mail that lies in it.
pub(super) struct Lying {
    path: PathBuf,
    /// Its first bytes, as many as are looked at.
    pub(super) raw: Vec<u8>,
}

impl Maildir {
    /// The directory that has `new` and `cur` in it.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// At most `limit` mails, those in `new` first.
    pub(super) async fn look(&self, limit: usize) -> io::Result<Vec<Lying>> {
        let mut lying = Vec::new();
        for folder in ["new", "cur"] {
            let mut names = Vec::new();
            let mut entries = fs::read_dir(self.path.join(folder)).await?;
            while let Some(entry) = entries.next_entry().await? {
                // A name that begins with a dot is not a mail yet, by the format's own rule.
                let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                if !hidden && entry.file_type().await?.is_file() {
                    names.push(entry.path());
                }
                if names.len() + lying.len() >= limit {
                    break;
                }
            }
            names.sort();
            for path in names {
                // Another process may have moved it away meanwhile.
                if let Some(raw) = read(&path).await? {
                    lying.push(Lying { path, raw });
                }
            }
        }
        Ok(lying)
    }

    /// Moves a mail that is stored out of the way.
    pub(super) async fn put_away(&self, mail: &Lying) -> io::Result<()> {
        let done = self.path.join(DONE);
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir_all(done.join(folder)).await?;
        }
        let name = mail.path.file_name().unwrap_or_default().to_string_lossy();
        let base = name.split(":2,").next().unwrap_or_default();
        let target = done.join("cur").join(format!("{base}:2,S"));
        match fs::rename(&mail.path, target).await {
            // Another process was quicker.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            moved => moved,
        }
    }
}

async fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match fs::File::open(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut raw = Vec::new();
    file.take(EXAMINED_MAX as u64).read_to_end(&mut raw).await?;
    Ok(Some(raw))
}
