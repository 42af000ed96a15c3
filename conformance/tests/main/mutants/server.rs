//! A toy server: a process of its own, which is this test binary started again. Its stores ask it over a socket,
//! with a line of [`disk`](super::disk) for each request.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crashpoint::{CheckpointRow, CheckpointStore, Error, checkpoint_store};
use crashpoint_conformance::{BoxError, Harness, Hook, Options, Place};

use super::disk::{BadLine, hex, line_of, perform, read, sealed};
use super::{Runs, quick};

/// The variable that makes a process the server of a folder.
const FOLDER: &str = "CRASHPOINT_TOY_SERVER";
/// The variable with the number of lines that the server has acknowledged and keeps in memory.
const LAG: &str = "CRASHPOINT_TOY_SERVER_LAG";
/// The test whose process is the server.
const TEST: &str = "mutants::server::a_server_that_lags_loses_its_newest_rows_when_it_is_killed";

/// The answers to a request. Rows follow as lines of their own.
const DONE: &str = "done";
const TAKEN: &str = "taken";

/// What the server does with its lines.
struct Server {
    runs: Runs,
    file: File,
    unwritten: VecDeque<String>,
    lag: usize,
}

impl Server {
    /// Serves the folder until the process is killed.
    fn serve(folder: &Path, lag: usize) -> io::Result<()> {
        let path = folder.join("log");
        let written = fs::read_to_string(&path).unwrap_or_default();
        let whole = written.rfind('\n').map_or(0, |end| end + 1);
        let server = Self {
            runs: read(&written[..whole], BadLine::Error)?,
            file: File::options().create(true).append(true).open(&path)?,
            unwritten: VecDeque::new(),
            lag,
        };
        let server = Arc::new(Mutex::new(server));
        let new = folder.join("new");
        let _ = fs::remove_file(&new);
        let listener = UnixListener::bind(&new)?;
        fs::rename(&new, socket(folder))?;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // It ends with the process that started it.
                let _ = io::stdin().read_to_end(&mut Vec::new());
                std::process::exit(0);
            });
            for stream in listener.incoming() {
                let server = Arc::clone(&server);
                // A client may be gone before its answer.
                scope.spawn(move || stream.and_then(|stream| Self::answer(&server, &stream)));
            }
        });
        Ok(())
    }

    fn answer(server: &Mutex<Self>, stream: &UnixStream) -> io::Result<()> {
        let mut request = String::new();
        BufReader::new(stream).read_line(&mut request)?;
        let answer = {
            let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
            server.perform(request.trim_end())?
        };
        let mut stream = stream;
        stream.write_all(answer.as_bytes())
    }

    fn perform(&mut self, request: &str) -> io::Result<String> {
        let mut asked = Runs::default();
        if let Some(id) = request.strip_prefix("L ") {
            perform(&mut asked, &format!("A {id} 0 state_entry x x -"));
            let id = asked.0.keys().next().cloned().unwrap_or_default();
            let rows = self.runs.load(&id);
            let lines: String = rows
                .iter()
                .map(|row| format!("{}\n", line_of(&id, row)))
                .collect();
            return Ok(format!("{lines}{DONE}\n"));
        }
        perform(&mut asked, request).ok_or_else(|| io::Error::other("no request"))?;
        for (id, run) in &asked.0 {
            if run.rows.keys().any(|sequence| self.runs.has(id, *sequence)) {
                return Ok(format!("{TAKEN}\n"));
            }
        }
        perform(&mut self.runs, request);
        self.unwritten.push_back(sealed(request));
        while self.unwritten.len() > self.lag {
            let line = self.unwritten.pop_front().unwrap_or_default();
            self.file.write_all(line.as_bytes())?;
        }
        Ok(format!("{DONE}\n"))
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("socket")
}

/// Starts the server of a folder, and waits until it answers.
fn start(folder: &Path, lag: usize) -> io::Result<Child> {
    let _ = fs::remove_file(socket(folder));
    let mut child = Command::new(std::env::current_exe()?)
        .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(LAG, lag.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    while UnixStream::connect(socket(folder)).is_err() {
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("the server ended: {status}")));
        }
        std::thread::yield_now();
    }
    Ok(child)
}

/// A store that asks the server.
pub(crate) struct Client {
    folder: PathBuf,
}

impl Client {
    /// The lines of the answer.
    async fn ask(&self, request: String) -> Result<Vec<String>, Error> {
        let path = socket(&self.folder);
        let asked = tokio::task::spawn_blocking(move || {
            let stream = UnixStream::connect(path);
            let mut stream = stream.map_err(|error| Error::unavailable(error.to_string()))?;
            let sent = stream.write_all(format!("{request}\n").as_bytes());
            let lines = sent.and_then(|()| BufReader::new(stream).lines().collect());
            lines.map_err(|error| Error::unknown_outcome(error.to_string()))
        });
        let lines: Vec<String> = asked
            .await
            .map_err(|error| Error::unknown_outcome(error.to_string()))??;
        if lines.is_empty() {
            return Err(Error::unknown_outcome("the server is gone"));
        }
        Ok(lines)
    }
}

#[checkpoint_store]
impl CheckpointStore for Client {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let answer = self.ask(line_of(workflow_id, &row)).await?;
        match answer[0].as_str() {
            TAKEN => Err(Error::conflict(workflow_id, row.sequence)),
            _ => Ok(()),
        }
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let lines = self
            .ask(format!("L {}", hex(workflow_id.as_bytes())))
            .await?;
        let Some((DONE, lines)) = lines
            .split_last()
            .map(|(last, lines)| (last.as_str(), lines))
        else {
            return Err(Error::unavailable("the server is gone"));
        };
        let mut runs = Runs::default();
        for line in lines {
            perform(&mut runs, line).ok_or_else(|| Error::checkpoint_store("no row"))?;
        }
        Ok(runs.load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.ask(format!("C {}", hex(workflow_id.as_bytes())))
            .await?;
        Ok(())
    }
}

fn servers() -> MutexGuard<'static, BTreeMap<String, Child>> {
    static SERVERS: Mutex<BTreeMap<String, Child>> = Mutex::new(BTreeMap::new());
    SERVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kill(place: &Place) -> io::Result<()> {
    let child = servers().remove(place.name());
    child.map_or(Ok(()), |mut child| {
        child.kill()?;
        child.wait().map(drop)
    })
}

/// A server for each place, which keeps its newest `LAGS` lines in memory.
pub(crate) struct Served<const LAGS: usize>;

impl<const LAGS: usize> Harness for Served<LAGS> {
    type Store = Client;

    async fn open(place: &Place) -> Result<Client, BoxError> {
        if !servers().contains_key(place.name()) {
            Self::start_backend(place).await?;
        }
        let folder = place.path().to_owned();
        Ok(Client { folder })
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        Ok(kill(place)?)
    }

    async fn crash_backend(place: &Place) -> Result<Hook, BoxError> {
        kill(place)?;
        Ok(Hook::Done)
    }

    async fn start_backend(place: &Place) -> Result<Hook, BoxError> {
        let child = start(place.path(), LAGS)?;
        servers().insert(place.name().to_owned(), child);
        Ok(Hook::Done)
    }

    fn options() -> Options {
        quick()
    }
}

/// How many of twenty rows are left when the server is killed and started again.
fn rows_left(lag: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let store = Client {
        folder: folder.path().to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut server = start(folder.path(), lag).unwrap();
    runtime.block_on(async {
        for sequence in 0..20 {
            let row = CheckpointRow::new(sequence, "state", "task");
            store.append("run", row.clone()).await.unwrap();
            assert!(store.append("run", row).await.is_err());
        }
        assert_eq!(store.load_run("run").await.unwrap().len(), 20);
    });
    server.kill().unwrap();
    server.wait().unwrap();
    runtime.block_on(async { store.load_run("run").await.unwrap_err() });
    let mut server = start(folder.path(), lag).unwrap();
    let left = runtime.block_on(store.load_run("run")).unwrap().len();
    server.kill().unwrap();
    server.wait().unwrap();
    left
}

#[test]
fn a_server_that_lags_loses_its_newest_rows_when_it_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let lag = std::env::var(LAG).unwrap().parse().unwrap();
        Server::serve(Path::new(&folder), lag).unwrap();
    }
    assert_eq!(rows_left(16), 4);
    assert_eq!(rows_left(0), 20);
}
