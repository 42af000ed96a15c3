//! A Redis server of the tests, with its data in a folder of its own.
//!
//! A shell keeps watch over each server: when the test process has ended, however that was, the shell kills
//! the server and removes the folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crashpoint_conformance::BoxError;

/// The program of the server.
const PROGRAM: &str = "redis-server";

/// The watch: it waits until the end of its input, which is the end of the test process or of the server's use.
const WATCH: &str = r#"trap "" HUP INT TERM; read -r _; kill -KILL "$(cat "$0/pid")"; rm -rf "$0""#;

/// The settings with which the server keeps what it acknowledges. It needs no snapshots beside its log.
pub(crate) const SYNCED: &[&str] = &[
    "--save",
    "",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
];

/// What the server prints when it has read its log, in one case or another.
const READY: &str = "ready to accept connections";

/// How often a server is asked whether it syncs its log: some seconds.
const LOOKS: u32 = 100_000;

/// A server, running or killed. Dropping this kills it and removes its folder.
pub(crate) struct Server {
    folder: PathBuf,
    settings: &'static [&'static str],
    process: Mutex<Option<Child>>,
    /// `None` only while this is dropped.
    watch: Option<Child>,
}

impl Server {
    /// The folder of the server that all places share. It belongs to the test process; a child process, which the
    /// kit kills, uses the server of its parent.
    pub(crate) fn shared() -> Result<PathBuf, BoxError> {
        static SHARED: OnceLock<Result<(PathBuf, Option<Server>), String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            let of_parent = shared_folder(std::os::unix::process::parent_id());
            if of_parent.join("ready").exists() {
                return Ok((of_parent, None));
            }
            let folder = shared_folder(std::process::id());
            // Left behind by an earlier process of this number, if the watch was killed too.
            let _ = fs::remove_dir_all(&folder);
            let server = Self::create(&folder, SYNCED).map_err(|error| error.to_string())?;
            Ok((folder, Some(server)))
        });
        match shared {
            Ok((folder, _)) => Ok(folder.clone()),
            Err(message) => Err(message.clone().into()),
        }
    }

    /// Creates a server in a new folder and starts it.
    pub(crate) fn create(
        folder: &Path,
        settings: &'static [&'static str],
    ) -> Result<Self, BoxError> {
        fs::create_dir(folder)?;
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH]).arg(folder).stdin(Stdio::piped());
        watch.stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self {
            folder: folder.to_owned(),
            settings,
            process: Mutex::default(),
            watch: Some(watch.spawn()?),
        };
        server.start()?;
        fs::write(folder.join("ready"), "")?;
        Ok(server)
    }

    /// Starts the server and waits until it takes connections.
    pub(crate) fn start(&self) -> Result<(), BoxError> {
        let mut server = Command::new(PROGRAM);
        server
            .arg("--dir")
            .arg(&self.folder)
            .arg("--pidfile")
            .arg(self.folder.join("pid"))
            .args(["--port", "0", "--unixsocket"])
            .arg(socket(&self.folder))
            .args(self.settings);
        server.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut server = server.spawn().map_err(|error| not_started(&error))?;
        let output = server.stdout.take();
        *self.process() = Some(server);
        let mut said = String::new();
        for line in output
            .into_iter()
            .flat_map(|output| BufReader::new(output).lines())
        {
            let line = line?;
            if line.to_lowercase().contains(READY) {
                return Ok(());
            }
            said = said + &line + "\n";
        }
        Err(format!("the server has ended:\n{said}").into())
    }

    /// Kills the server.
    pub(crate) fn kill(&self) -> Result<(), BoxError> {
        if let Some(mut process) = self.process().take() {
            process.kill()?;
            process.wait()?;
        }
        Ok(())
    }

    /// Kills the server while it syncs its log in the background, which it does each second. It then keeps in
    /// memory what it acknowledges.
    pub(crate) fn kill_during_sync(&self) -> Result<(), BoxError> {
        let mut connection = redis::Client::open(url(&self.folder))?.get_connection()?;
        for _ in 0..LOOKS {
            let state: String = redis::cmd("INFO")
                .arg("persistence")
                .query(&mut connection)?;
            if state.contains("aof_pending_bio_fsync:1") {
                break;
            }
        }
        self.kill()
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What is left of the server or its folder does not change a verdict.
        let _ = self.kill();
        if let Some(mut watch) = self.watch.take() {
            drop(watch.stdin.take());
            let _ = watch.wait();
        }
    }
}

fn not_started(error: &std::io::Error) -> BoxError {
    format!("could not start {PROGRAM}: {error}: install it (Debian: apt-get install redis-server)")
        .into()
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("socket")
}

/// How a client reaches the server in `folder`.
pub(crate) fn url(folder: &Path) -> String {
    format!("redis+unix://{}", socket(folder).display())
}

/// The servers of single places, by their folders.
pub(crate) fn servers() -> MutexGuard<'static, BTreeMap<PathBuf, Server>> {
    static SERVERS: Mutex<BTreeMap<PathBuf, Server>> = Mutex::new(BTreeMap::new());
    SERVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shared_folder(process: u32) -> PathBuf {
    std::env::temp_dir().join(format!("crashpoint-redis-{process}"))
}

/// The version of the server's program, as it says it.
pub(crate) fn version() -> Result<String, BoxError> {
    let output = Command::new(PROGRAM)
        .arg("--version")
        .output()
        .map_err(|error| not_started(&error))?;
    let line = String::from_utf8(output.stdout)?;
    let words: Vec<&str> = line.split_whitespace().take(3).collect();
    Ok(words.join(" "))
}
