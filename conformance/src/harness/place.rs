//! The place of a store during one law: a directory and a name that nobody else uses.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

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
    /// `purpose` is a short word, such as the id of a law.
    pub(crate) fn fresh_for(purpose: &str, folder: Option<&Path>) -> std::io::Result<Self> {
        let name = unique_name(purpose);
        let root = folder
            .map_or_else(std::env::temp_dir, Path::to_owned)
            .join(&name);
        let path = root.join("place");
        std::fs::create_dir_all(&path)?;
        let owner = Owner::This;
        Ok(Self {
            name,
            root,
            path,
            owner,
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
        })
    }

    /// The directory by which a child process finds the place.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// An existing directory, which is empty when the store is first opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A name unique to this place, of at most 40 bytes from `a-z`, `0-9` and `_`, for a table, a schema,
    /// a bucket or a prefix of keys.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Files beside the store's directory, where the store must create none.
    pub(crate) fn strays(&self) -> std::io::Result<Vec<PathBuf>> {
        let mut strays = Vec::new();
        for entry in std::fs::read_dir(&self.root)? {
            let path = entry?.path();
            if path != self.path {
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

/// A name that no other place has.
fn unique_name(purpose: &str) -> String {
    // Each `RandomState` has other keys; the process id alone would repeat on a shared server.
    let unique = RandomState::new().hash_one(std::process::id());
    let name = format!("crashpoint_{purpose}_{unique:016x}");
    // A purpose is a short word of the kit, and stores use the name for a table or a bucket.
    assert!(name.len() <= 40, "a name has at most 40 bytes: {name}");
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
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
