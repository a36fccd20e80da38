//! The results as a page of plain text.

use std::fmt;

use domain::error::Chain;

use crate::Result;
use crate::ground::Ground;

/// The results of a run.
pub struct Report {
    head: String,
    lines: Vec<Line>,
    memory: Vec<Line>,
    failures: Vec<String>,
}

struct Line {
    what: String,
    figure: String,
    note: String,
}

impl Report {
    /// A page without results: when, where, on what.
    pub async fn begin(ground: &Ground, filled: &str) -> Result<Self> {
        let cores = std::thread::available_parallelism()?;
        let postgres: String = ground.ask("SELECT split_part(version(), ' ', 2)").await?;
        let commit: String = ground.ask("SHOW synchronous_commit").await?;
        let now = ground.hospital.now().format("%Y-%m-%d %H:%M UTC");
        let head = format!(
            "Leadward under load, {now}\n{cores} cores shared by everything, PostgreSQL {postgres} \
             (synchronous_commit {commit}) with {filled}; load average before: {:.1}",
            ground.busy_before
        );
        Ok(Self {
            head,
            lines: Vec::new(),
            memory: Vec::new(),
            failures: Vec::new(),
        })
    }

    /// A headline.
    pub fn section(&mut self, title: &str) {
        self.line(title, String::new(), String::new());
    }

    /// A result: what it is, the figure, and what else there is to say.
    pub fn line(&mut self, what: &str, figure: impl Into<String>, note: impl Into<String>) {
        self.lines.push(Line {
            what: what.to_owned(),
            figure: figure.into(),
            note: note.into(),
        });
    }

    /// The most memory that a process held.
    pub fn memory(&mut self, process: &str, peak_mb: f64) {
        let what = format!("  {process}");
        self.memory.push(Line {
            what,
            figure: format!("{peak_mb:.0} MB"),
            note: String::new(),
        });
    }

    /// Notes how a part ended. The others are measured all the same.
    pub fn end_part(&mut self, part: &str, ended: Result<()>) {
        if let Err(error) = ended {
            self.failures.push(format!("{part}: {}", Chain(error.as_ref())));
        }
    }

    /// Whether every part was measured.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.head)?;
        let memory = Line {
            what: "Peak memory under its load".to_owned(),
            figure: String::new(),
            note: String::new(),
        };
        let memory = self
            .memory
            .first()
            .map(|_| &memory)
            .into_iter()
            .chain(&self.memory);
        for Line { what, figure, note } in self.lines.iter().chain(memory) {
            if figure.is_empty() {
                writeln!(f, "\n{what}")?;
            } else {
                let line = format!("{what:<44}{figure:>14}   {note}");
                writeln!(f, "{}", line.trim_end())?;
            }
        }
        self.failures
            .iter()
            .try_for_each(|failure| writeln!(f, "\nNot measured: {failure}"))
    }
}

/// A rate with thousands apart: `12,345 /s`.
pub fn per_sec(rate: f64) -> String {
    format!("{} /s", grouped(rate.round() as u64))
}

/// A number with thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
