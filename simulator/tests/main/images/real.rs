//! The simulated disk compared with a real disk: after a kill at the same call of the file, the
//! same script leaves the same rows.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crashpoint::disk::{Directory, Disk};
use crashpoint::{CheckpointStore, Error, RedbCheckpointStore};
use crashpoint_simulator::SimRuntime;
use crashpoint_simulator::disk::{Lie, SimDisk};
use crashpoint_simulator::images::{Op, Progress, Script, perform, verify};
use redb::StorageBackend;

const KILL_AT: &str = "CRASHPOINT_TEST_KILL_AT";
const FILE: &str = "CRASHPOINT_TEST_FILE";

/// A few operations of every kind: each call of the disk costs a child process.
fn script() -> Script {
    Script::new(30)
        .then([
            Op::Append(0),
            Op::Append(1),
            Op::Duplicate(0),
            Op::Append(0),
        ])
        .together([Op::Append(1), Op::Append(2), Op::Clear(0), Op::Append(0)])
        .reopen()
        .then([Op::Clear(1), Op::Append(1)])
}

/// A disk whose process dies before the call with this number: a draft, a new length, a write, a
/// sync, or the naming of the file.
struct Watched<D> {
    disk: D,
    watch: Watch,
}

#[derive(Clone)]
struct Watch {
    calls: Arc<AtomicU64>,
    kill_at: u64,
    dead: Arc<AtomicBool>,
    /// How the process dies. If it lives on, every call fails.
    die: fn(),
}

struct WatchedFile<F> {
    file: F,
    watch: Watch,
}

impl Watch {
    fn new(kill_at: u64, die: fn()) -> Self {
        Self {
            calls: Arc::default(),
            kill_at,
            dead: Arc::default(),
            die,
        }
    }

    fn before(&self) -> io::Result<()> {
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.kill_at {
            (self.die)();
            self.dead.store(true, Ordering::Relaxed);
        }
        self.alive()
    }

    fn alive(&self) -> io::Result<()> {
        match self.is_dead() {
            true => Err(io::Error::other("the process has died")),
            false => Ok(()),
        }
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    fn file<F>(&self, file: F) -> WatchedFile<F> {
        let watch = self.clone();
        WatchedFile { file, watch }
    }
}

impl<D: Disk> Disk for Watched<D> {
    type File = WatchedFile<D::File>;
    type Draft = D::Draft;

    fn name(&self) -> String {
        self.disk.name()
    }

    fn open(&self) -> io::Result<Option<Self::File>> {
        self.watch.alive()?;
        Ok(self.disk.open()?.map(|file| self.watch.file(file)))
    }

    fn draft(&self) -> io::Result<D::Draft> {
        self.watch.before()?;
        self.disk.draft()
    }

    fn open_draft(&self, draft: &D::Draft) -> io::Result<Self::File> {
        Ok(self.watch.file(self.disk.open_draft(draft)?))
    }

    fn publish(&self, draft: D::Draft) -> io::Result<()> {
        self.watch.before()?;
        self.disk.publish(draft)
    }
}

impl<F: StorageBackend> StorageBackend for WatchedFile<F> {
    fn len(&self) -> io::Result<u64> {
        self.watch.alive()?;
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.watch.alive()?;
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.watch.before()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.watch.before()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.watch.before()?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

impl<F: std::fmt::Debug> std::fmt::Debug for WatchedFile<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.file.fmt(f)
    }
}

fn store_on(disk: &impl Disk, runtime: SimRuntime) -> Result<Box<dyn CheckpointStore>, Error> {
    Ok(Box::new(RedbCheckpointStore::on_disk(disk, runtime)?))
}

/// Kills this process with SIGKILL: no destructor, no flushed buffer, no handler.
fn kill_myself() {
    let myself = rustix::process::getpid();
    rustix::process::kill_process(myself, rustix::process::Signal::KILL)
        .expect("a process may kill itself");
    // The signal may reach another thread first.
    loop {
        std::thread::park();
    }
}

/// The child performs the script on the real file and prints its progress, one report per line.
fn child(kill_at: u64, file: &Path) {
    let watched = Watched {
        disk: Directory::new(file),
        watch: Watch::new(kill_at, kill_myself),
    };
    let open = |runtime| store_on(&watched, runtime);
    let mut out = io::stdout();
    let mut say = |line: &str| writeln!(out, "{line}").expect("the parent listens");
    let performed = perform(&script(), open, |report| say(&format!("report: {report}")));
    performed.expect("the real disk is well");
    say("report all");
}

/// The reports of the child, and whether it finished.
fn outcome_of_child(kill_at: u64, file: &Path) -> (Vec<Progress>, bool) {
    let this = std::env::current_exe().expect("this is a program");
    let name = "images::real::the_rows_after_a_kill_are_those_of_the_simulated_disk";
    let output = Command::new(this)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(KILL_AT, kill_at.to_string())
        .env(FILE, file)
        .output()
        .expect("the child can be started");
    let output = String::from_utf8(output.stdout).expect("it says text");
    // The test harness may have printed on the same line.
    let reports = output
        .lines()
        .filter_map(|line| line.split_once("report: "));
    let reports = reports.map(|(_, report)| report.parse().expect("it is a report"));
    (reports.collect(), output.contains("report all"))
}

/// The reports of the same script on a simulated disk, and the disk that it leaves.
fn outcome_of_simulation(kill_at: u64) -> (Vec<Progress>, SimDisk) {
    let watch = Watch::new(kill_at, || {});
    let watched = Watched {
        disk: SimDisk::default(),
        watch: watch.clone(),
    };
    let mut reports = Vec::new();
    let open = |runtime| store_on(&watched, runtime);
    let performed = perform(&script(), open, |report| {
        if !watch.is_dead() {
            reports.push(report);
        }
    });
    assert!(performed.is_ok() || watch.is_dead(), "{performed:?}");
    (reports, SimDisk::of(watched.disk.image(), Lie::None))
}

#[test]
fn the_rows_after_a_kill_are_those_of_the_simulated_disk() {
    if let (Some(kill_at), Some(file)) = (std::env::var_os(KILL_AT), std::env::var_os(FILE)) {
        let kill_at = kill_at.to_str().and_then(|text| text.parse().ok());
        return child(kill_at.expect("it is a number"), Path::new(&file));
    }
    let mut kills = 0;
    loop {
        let folder = tempfile::tempdir().expect("there is a place for files");
        let file = folder.path().join("runs.redb");
        let (reports, ended) = outcome_of_child(kills, &file);
        let (simulated, disk) = outcome_of_simulation(kills);
        assert_eq!(reports, simulated, "killed at call {kills}");
        let path = Directory::new(&file);
        let real = verify(&script(), &reports, |runtime| store_on(&path, runtime));
        let real = real.unwrap_or_else(|wrong| panic!("killed at call {kills}: {wrong}"));
        let found = verify(&script(), &simulated, |runtime| store_on(&disk, runtime));
        assert_eq!(found.as_ref(), Ok(&real), "killed at call {kills}");
        if ended {
            break;
        }
        kills += 1;
    }
    assert!(kills > 80, "only {kills} kills");
}
