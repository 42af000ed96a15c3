//! A PostgreSQL server of the tests, with its data in a folder of its own.
//!
//! A shell keeps watch over each server: when the test process has ended, however that was, the shell stops
//! the server and removes the folder.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crashpoint_conformance::BoxError;
use tokio_postgres::Config;

/// The server refuses to run as root. Tests that run as root start it as this user.
const USER: &str = "postgres";

/// The settings of every server of the tests. Durability has the server's defaults.
const SETTINGS: &str = "
listen_addresses = ''
max_connections = 400
";

/// After a crash the server syncs its data before it starts: with this setting in one call, and not file by file,
/// which takes seconds.
const SETTINGS_OF_LINUX: &str = "recovery_init_sync_method = syncfs\n";

/// The watch: it waits until the end of its input, which is the end of the test process or of the server's use.
const WATCH: &str =
    r#"trap "" HUP INT TERM; read -r _; "$0" -D "$1/data" -m immediate stop; rm -rf "$1""#;

/// A server, running or crashed. Dropping this stops it and removes its folder.
pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    is_root: bool,
    /// `None` only before the folder has its owner, and while this is dropped.
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
            let server = Self::create(&folder).map_err(|error| error.to_string())?;
            Ok((folder, Some(server)))
        });
        match shared {
            Ok((folder, _)) => Ok(folder.clone()),
            Err(message) => Err(message.clone().into()),
        }
    }

    /// Creates a server in a new folder and starts it.
    pub(crate) fn create(folder: &Path) -> Result<Self, BoxError> {
        let server = Self::prepare(folder)?;
        server.run(
            "initdb",
            &[
                "--auth=trust",
                "--username=crashpoint",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
        )?;
        let mut settings = SETTINGS.to_owned();
        if cfg!(target_os = "linux") {
            settings += SETTINGS_OF_LINUX;
        }
        server.set(&settings)?;
        server.start()?;
        fs::write(folder.join("ready"), "")?;
        Ok(server)
    }

    /// Creates a standby of `leader` in a new folder and starts it.
    pub(crate) fn follow(folder: &Path, leader: &Self) -> Result<Self, BoxError> {
        let standby = Self::prepare(folder)?;
        standby.copy(leader)?;
        Ok(standby)
    }

    /// Makes a server that was killed a standby of `leader`, with a new copy of the leader's data.
    pub(crate) fn follow_again(&self, leader: &Self) -> Result<(), BoxError> {
        fs::remove_dir_all(self.folder.join("data"))?;
        self.copy(leader)
    }

    /// Copies the data of `leader`, and starts as its standby.
    fn copy(&self, leader: &Self) -> Result<(), BoxError> {
        let host = leader.folder.display().to_string();
        self.run(
            "pg_basebackup",
            &[
                "--host",
                &host,
                "--username=crashpoint",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
            ],
        )?;
        self.set("")?;
        self.start()
    }

    /// A server without data, in a new folder that belongs to its user.
    fn prepare(folder: &Path) -> Result<Self, BoxError> {
        fs::create_dir(folder)?;
        let mut server = Self {
            folder: folder.to_owned(),
            programs: programs()?,
            is_root: fs::metadata(folder)?.uid() == 0,
            watch: None,
        };
        if server.is_root {
            chown(folder, Some(id("-u")?), Some(id("-g")?))?;
        }
        server.watch = Some(server.watched()?);
        Ok(server)
    }

    /// Adds settings, and the place of its socket. The last value of a setting counts.
    fn set(&self, settings: &str) -> Result<(), BoxError> {
        let file = self.folder.join("data/postgresql.conf");
        let mut file = OpenOptions::new().append(true).open(file)?;
        let folder = self.folder.display();
        let settings = format!("{settings}unix_socket_directories = '{folder}'\n");
        Ok(file.write_all(settings.as_bytes())?)
    }

    /// Where its data and its socket are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a standby a server of its own, which accepts writes.
    pub(crate) fn promote(&self) -> Result<(), BoxError> {
        self.run("pg_ctl", &["promote", "--wait", "--silent"])
    }

    /// Starts the server and waits until it takes connections.
    pub(crate) fn start(&self) -> Result<(), BoxError> {
        let log = self.folder.join("log").display().to_string();
        self.run("pg_ctl", &["start", "--wait", "--silent", "--log", &log])
    }

    /// Ends the server as a crash does: its processes end at once, and what is in their memory is lost.
    pub(crate) fn crash(&self) -> Result<(), BoxError> {
        self.run(
            "pg_ctl",
            &["stop", "--wait", "--silent", "--mode=immediate"],
        )
    }

    /// Runs a program of the server on the server's data.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), BoxError> {
        let mut command = self.command(&self.programs.join(program));
        command
            .arg("--pgdata")
            .arg(self.folder.join("data"))
            .args(arguments);
        let output = command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(format!("{program} failed: {}{log}", said(&output)).into())
    }

    /// A command that runs as the owner of the server.
    fn command(&self, program: &Path) -> Command {
        if !self.is_root {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]);
        command.arg(program);
        command
    }

    fn watched(&self) -> Result<Child, BoxError> {
        let mut watch = self.command(Path::new("sh"));
        watch
            .arg("-c")
            .arg(WATCH)
            .arg(self.programs.join("pg_ctl"))
            .arg(&self.folder);
        watch
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(watch.spawn()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            drop(watch.stdin.take());
            // The folder is removed then. What is left of it does not change a verdict.
            let _ = watch.wait();
        }
    }
}

/// How a client reaches the server in `folder`.
pub(crate) fn config(folder: &Path) -> Config {
    let mut config = Config::new();
    config
        .host_path(folder)
        .user("crashpoint")
        .dbname("postgres");
    config
}

/// The servers of single places, by their folders.
pub(crate) fn servers() -> MutexGuard<'static, BTreeMap<PathBuf, Server>> {
    static SERVERS: Mutex<BTreeMap<PathBuf, Server>> = Mutex::new(BTreeMap::new());
    SERVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shared_folder(process: u32) -> PathBuf {
    std::env::temp_dir().join(format!("crashpoint-postgres-{process}"))
}

/// The folder of the server's programs.
fn programs() -> Result<PathBuf, BoxError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    // Debian has a folder for each version.
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    let whole = |folder: &PathBuf| {
        ["initdb", "pg_basebackup", "pg_ctl", "postgres"]
            .iter()
            .all(|program| folder.join(program).exists())
    };
    folders.into_iter().find(whole).ok_or_else(|| {
        "found no folder with initdb, pg_basebackup, pg_ctl and postgres: install the server (Debian: apt-get install \
         postgresql), or add the folder to PATH"
            .into()
    })
}

/// A number of the server's user, by the option of `id`.
fn id(option: &str) -> Result<u32, BoxError> {
    let output = Command::new("id").args([option, USER]).output()?;
    if !output.status.success() {
        return Err(format!("root needs a user {USER} for the server: {}", said(&output)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// The version of the server's programs, as they say it.
pub(crate) fn version() -> Result<String, BoxError> {
    let output = Command::new(programs()?.join("postgres"))
        .arg("--version")
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
