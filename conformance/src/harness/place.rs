//! The place of a store during one law: a directory and a name that nobody else uses.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::contract::LawId;
use crate::contract::capability::Claim;

/// A fresh place for one store. Stores on files use its [`path`](Self::path), stores on a server its
/// [`name`](Self::name).
///
/// The directory exists and is empty. Dropping the place removes it with its contents. A law that missed
/// its deadline leaves it behind, since the store may still use it.
#[derive(Debug)]
pub struct Place {
    name: String,
    root: PathBuf,
    path: PathBuf,
    owner: Owner,
    /// Whether a store may have been opened here.
    used: AtomicBool,
}

/// Who removes the directory.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    This,
    /// The process that started this process.
    Parent,
    /// There is no directory.
    Nobody,
}

impl Place {
    /// `purpose` is a short word, such as the id of a law; `harness` is the name of the harness.
    pub(crate) fn fresh_for(
        purpose: &str,
        harness: &str,
        folder: Option<&Path>,
    ) -> io::Result<Self> {
        let name = unique_name(purpose);
        let root = folder
            .map_or_else(std::env::temp_dir, Path::to_owned)
            .join(&name);
        let path = root.join("place");
        std::fs::create_dir_all(&path)?;
        std::fs::write(root.join(OWNER), owner_now(harness))?;
        let owner = Owner::This;
        Ok(Self {
            name,
            root,
            path,
            owner,
            used: AtomicBool::new(false),
        })
    }

    /// A place of a live store: a name, and no directory.
    pub(crate) fn without_directory(purpose: &str) -> Self {
        let name = unique_name(purpose);
        let root = PathBuf::from(&name);
        Self {
            name,
            path: root.join("place"),
            root,
            owner: Owner::Nobody,
            used: AtomicBool::new(false),
        }
    }

    /// The place with this [root](Self::root), which a parent process created.
    pub(crate) fn of_parent(root: PathBuf) -> Option<Self> {
        let name = root.file_name()?.to_str()?.to_owned();
        let path = root.join("place");
        Some(Self {
            name,
            root,
            path,
            owner: Owner::Parent,
            used: AtomicBool::new(true),
        })
    }

    /// The places of `harness` below `folder` whose process has ended without removing them.
    pub(crate) fn left_behind(harness: &str, folder: Option<&Path>) -> io::Result<Vec<Self>> {
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
        let mut left = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let root = entry?.path();
            // Other files there are none of ours.
            let owner = std::fs::read_to_string(root.join(OWNER)).unwrap_or_default();
            let is_place = |place: &Self| place.name.starts_with(PREFIX);
            if has_ended(&owner, harness)
                && let Some(mut place) = Self::of_parent(root).filter(is_place)
            {
                place.owner = Owner::This;
                left.push(place);
            }
        }
        left.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(left)
    }

    /// Leaves the directory where it is.
    pub(crate) fn stay(mut self) {
        self.owner = Owner::Parent;
    }

    /// Notes that this process, or a child of it, opens a store here.
    pub(crate) fn note_use(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    /// Whether a store may have been opened here before.
    pub(crate) fn was_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// The directory by which a child process finds the place.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// An existing directory, which is empty when the store is first opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The law that asks for the place; `None` for a benchmark or a comparison with the model.
    pub fn law(&self) -> Option<LawId> {
        let purpose = self.name.strip_prefix(PREFIX)?.rsplit_once('_')?.0;
        let mut laws = LawId::ALL.iter().copied();
        laws.find(|law| purpose_of(*law) == purpose)
    }

    /// Whether the law takes the backend away: it breaks, kills or stops it. A harness whose places share a server
    /// gives such a place a server of its own, so that other laws do not notice.
    pub fn needs_own_backend(&self) -> bool {
        let claim = self.law().and_then(LawId::claim);
        claim.is_some_and(Claim::takes_backend_away)
    }

    /// Remembers a fact for the harness, such as the port or the process of a server: for a hook, for
    /// [`destroy`](crate::Harness::destroy), for child processes, and for [`sweep`](crate::sweep) after an aborted
    /// run. A new fact takes the place of an old one with its name.
    ///
    /// # Errors
    ///
    /// If the fact can't be written, or `name` is not of `a-z`, `0-9` and `_`.
    pub fn remember(&self, name: &str, fact: &str) -> io::Result<()> {
        let path = self.fact(name)?;
        let facts = self.root.join(FACTS);
        std::fs::create_dir_all(&facts)?;
        // Another process may read it at the same time.
        let draft = facts.join(format!("{name}.{}", std::process::id()));
        std::fs::write(&draft, fact)?;
        std::fs::rename(draft, path)
    }

    /// A fact that was [remembered](Self::remember); `None` if there is none.
    pub fn recall(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.fact(name).ok()?).ok()
    }

    fn fact(&self, name: &str) -> io::Result<PathBuf> {
        let is_plain = !name.is_empty() && name.bytes().all(is_plain);
        if self.owner == Owner::Nobody || !is_plain {
            let message = format!("{name:?} can't be remembered");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(self.root.join(FACTS).join(name))
    }

    /// A name unique to this place, of at most 40 bytes from `a-z`, `0-9` and `_`, for a table, a schema,
    /// a bucket or a prefix of keys.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Files beside the store's directory, where the store must create none.
    pub(crate) fn strays(&self) -> io::Result<Vec<PathBuf>> {
        let own = [&self.path, &self.root.join(OWNER), &self.root.join(FACTS)];
        let mut strays = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            let path = entry?.path();
            if !own.contains(&&path) {
                strays.push(path);
            }
        }
        Ok(strays)
    }

    /// A path beside the store's directory, where the store must create nothing.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// The beginning of the name of each place.
const PREFIX: &str = "crashpoint_";
/// The file that says whose place it is, beside the store's directory.
const OWNER: &str = "owner";
/// The folder of what the harness remembers.
const FACTS: &str = "facts";

/// The word of a law in the names of its places.
pub(crate) fn purpose_of(law: LawId) -> String {
    law.to_string().to_lowercase().replace('-', "_")
}

/// This process, and the harness.
fn owner_now(harness: &str) -> String {
    let process = std::process::id();
    let begun = begin_of(process).unwrap_or_default();
    format!("{process} {begun}\n{harness}\n")
}

/// Whether an owner is of the harness, and its process has ended. Systems that do not say which processes run
/// have none that has.
fn has_ended(owner: &str, harness: &str) -> bool {
    let Some((process, of)) = owner.split_once('\n') else {
        return false;
    };
    let Some((id, begun)) = process.split_once(' ') else {
        return false;
    };
    let (Ok(id), false) = (id.parse(), begun.is_empty()) else {
        return false;
    };
    // Ids of processes are used again.
    of.trim_end() == harness && begin_of(id).as_deref() != Some(begun)
}

/// When a process began, in ticks of the kernel's clock; `None` if there is no such process, or the system does not
/// say.
fn begin_of(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Its name is in parentheses; the state is the first field after it, and the beginning the twentieth.
    let fields = stat.rsplit_once(") ")?.1;
    fields.split(' ').nth(19).map(str::to_owned)
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')
}

/// A name that no other place has.
fn unique_name(purpose: &str) -> String {
    // Each `RandomState` has other keys; the process id alone would repeat on a shared server.
    let unique = RandomState::new().hash_one(std::process::id());
    let name = format!("{PREFIX}{purpose}_{unique:016x}");
    // A purpose is a short word of the kit, and stores use the name for a table or a bucket.
    assert!(name.len() <= 40, "a name has at most 40 bytes: {name}");
    assert!(
        name.bytes().all(is_plain),
        "a name is of a-z, 0-9 and _: {name}"
    );
    name
}

impl Drop for Place {
    fn drop(&mut self) {
        // A leftover in the temporary directory does not change a verdict.
        if self.owner == Owner::This {
            let _ = std::fs::remove_dir_all(&self.root);
        }
    }
}
