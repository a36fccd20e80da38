//! The program itself, as a process of its own.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::clinic::lock;

/// How long a test waits for another process.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at what another process does.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Lines of a process that are shown when it fails.
const KEPT_LINES: usize = 20_000;

/// What processes of one installation are told, apart from their command.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Its directory.
    pub data_dir: PathBuf,
}

/// A running process. Killed when dropped.
pub struct Running {
    child: Child,
    lines: Arc<Mutex<VecDeque<String>>>,
    said: Arc<Notify>,
}

impl Installation {
    /// An installation with a directory of its own.
    pub fn new(name: &str) -> Self {
        let data_dir = std::env::temp_dir().join(format!("leadward_test_{}_{name}", std::process::id()));
        std::fs::create_dir_all(&data_dir).expect("a directory of its own");
        let env = [
            ("DATA_DIR", data_dir.display().to_string()),
            ("LISTEN_ADDR", "127.0.0.1:0".to_owned()),
        ];
        Self {
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            data_dir,
        }
    }

    /// The same with another setting.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadward"));
        command
            .args(args)
            .env_clear()
            .envs(self.env.iter().cloned())
            .current_dir(&self.data_dir)
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end. Answers what it printed.
    pub async fn run(&self, args: &[&str]) -> String {
        let output = self
            .command(args)
            .stdin(Stdio::null())
            .output()
            .await
            .expect("the program starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "leadward {args:?} ended with {}: {errors}",
            output.status
        );
        String::from_utf8(output.stdout)
            .expect("it prints text")
            .trim_end()
            .to_owned()
    }

    /// Runs a command that must fail. Answers what it said.
    pub async fn fail(&self, args: &[&str]) -> String {
        let output = self
            .command(args)
            .stdin(Stdio::null())
            .output()
            .await
            .expect("the program starts");
        assert!(!output.status.success(), "leadward {args:?} succeeded");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Starts a process that goes on.
    pub fn start(&self, command: &str) -> Running {
        let mut program = self.command(&[command]);
        program
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = program.spawn().expect("the program starts");
        let stderr = child.stderr.take().expect("its errors are read");
        let (lines, said) = (Arc::<Mutex<VecDeque<String>>>::default(), Arc::new(Notify::new()));
        let (kept, tell) = (lines.clone(), said.clone());
        tokio::spawn(async move {
            let mut reader = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = reader.next_line().await {
                let mut kept = lock(&kept);
                kept.push_back(line);
                if kept.len() > KEPT_LINES {
                    kept.pop_front();
                }
                drop(kept);
                tell.notify_waiters();
            }
        });
        Running { child, lines, said }
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data_dir);
    }
}

impl Running {
    /// The first line that holds `text`, as soon as it is said.
    pub async fn says(&self, text: &str) -> String {
        let heard = async {
            loop {
                let mut said = std::pin::pin!(self.said.notified());
                said.as_mut().enable();
                if let Some(line) = lock(&self.lines).iter().find(|line| line.contains(text)) {
                    return line.clone();
                }
                said.await;
            }
        };
        match tokio::time::timeout(PATIENCE, heard).await {
            Ok(line) => line,
            Err(_) => panic!("it never said {text:?} but {:#?}", lock(&self.lines)),
        }
    }

    /// Where it listens, as `http://127.0.0.1:port`.
    pub async fn address(&self) -> String {
        let line = self.says("Listening.").await;
        let place = line.find("127.0.0.1:").expect("it names its address");
        let address: String = line[place..]
            .chars()
            .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':'))
            .collect();
        format!("http://{address}")
    }

    /// Ends it without a word, as a power cut does.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Asks it to stop, and waits until it has. Answers whether it ended well.
    pub async fn stop(mut self) -> bool {
        let id = self.child.id().expect("it runs").to_string();
        let asked = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .expect("kill can be run");
        assert!(asked.success());
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("it stops in time")
            .expect("it ran")
            .success()
    }

    /// What it said, for a test that fails.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.lines).iter().cloned().collect()
    }
}

/// Looks again and again until another process has done what is waited for.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tick.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .unwrap_or_else(|_| panic!("waited in vain until {what}"))
}
