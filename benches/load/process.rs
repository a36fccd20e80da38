//! Real processes of the program, as they run in production, and what they use.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::{Duration, Instant};

use domain::staff;
use entity::enums::Role;
use tokio::process::{Child, Command};

use crate::Result;
use crate::ground::Ground;
use crate::http::{Asker, get};

/// Ticks of `/proc/<pid>/stat` in a second. Linux shows them so on every architecture.
const TICKS_PER_SEC: f64 = 100.0;
/// How long a process may take to begin.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process of the program. Killed when it is dropped.
pub struct Process {
    child: Child,
    pid: u32,
}

impl Process {
    /// Starts `leadward <command>`, logging into the run's directory.
    pub fn start(ground: &Ground, command: &str, more: &[(&str, String)]) -> Result<Self> {
        // Those of one command write one after another.
        let log = ground.directory.join(format!("{command}.log"));
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(env!("CARGO_BIN_EXE_leadward"))
            .arg(command)
            .env_clear()
            .envs(ground.environment())
            .envs(more.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or("the process ended at once")?;
        Ok(Self { child, pid })
    }

    /// Processor time used so far, by the program and by the kernel for it.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The name in parentheses may hold spaces; user and system time are the 14th and 15th field of all.
        let after_name = stat.rsplit_once(") ").ok_or("/proc shows no process")?.1;
        let ticks: f64 = after_name
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<f64>().ok())
            .sum();
        Ok(Duration::from_secs_f64(ticks / TICKS_PER_SEC))
    }

    /// The most memory that it ever held, in MB.
    pub fn peak_rss_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .ok_or("/proc shows no memory")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0 / 1e6)
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    /// Asks it to stop and waits for its end.
    pub async fn stop(mut self) -> Result<()> {
        Command::new("kill")
            .arg("-TERM")
            .arg(self.pid.to_string())
            .status()
            .await?;
        self.child.wait().await?;
        Ok(())
    }
}

/// A running `leadward api`, with a token of somebody who may see everything.
pub struct Api {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// A token for it.
    pub token: String,
}

impl Api {
    /// Starts it and waits until it is ready.
    pub async fn start(ground: &Ground) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let more = [
            ("LISTEN_ADDR", address.to_string()),
            ("CAPTURE_MAIL", "true".to_owned()),
        ];
        let process = Process::start(ground, "api", &more)?;
        let began = Instant::now();
        while !is_ready(address).await {
            if began.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(ground.directory.join("api.log"))?;
                return Err(format!("the api did not become ready:\n{log}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (_, token) = staff::token::create(&ground.hospital, Role::MarketingOps, "bench", None).await?;
        Ok(Self {
            process,
            address,
            token,
        })
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    match Asker::connect(address, get("/readyz")).await {
        Ok(mut asker) => asker.body().await.is_ok(),
        Err(_) => false,
    }
}
