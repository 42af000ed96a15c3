//! The names of a run's objects.

use std::fmt::Write;

use crashpoint::Error;
use object_store::path::Path;

/// The longest id, in bytes. Its hexadecimal digits are a name of a folder, for which file systems allow 255
/// bytes.
pub const ID_BYTES_MAX: usize = 120;

/// The folders of a run.
pub(crate) struct Run {
    rows: Path,
    marks: Path,
}

impl Run {
    /// The folders of the run `id` below `prefix`.
    pub(crate) fn of(prefix: &Path, id: &str) -> Result<Self, Error> {
        if id.len() > ID_BYTES_MAX {
            let length = id.len();
            return Err(Error::unavailable(format!(
                "an id of {length} bytes exceeds the limit of {ID_BYTES_MAX} bytes"
            )));
        }
        // The id may be empty, and a name may not.
        let mut name = "run-".to_owned();
        for byte in id.bytes() {
            write!(name, "{byte:02x}").expect("a string takes any text");
        }
        Ok(Self {
            rows: prefix.clone().join("rows").join(name.as_str()),
            marks: prefix.clone().join("cleared").join(name),
        })
    }

    /// The folder of its rows, of all generations.
    pub(crate) fn rows(&self) -> &Path {
        &self.rows
    }

    /// The folder of the marks of its clears.
    pub(crate) fn marks(&self) -> &Path {
        &self.marks
    }

    /// A row. The names of a generation order as their sequences do.
    pub(crate) fn row(&self, generation: usize, sequence: u64) -> Path {
        let name = format!("{generation:016x}-{sequence:016x}");
        self.rows.clone().join(name)
    }

    /// The mark of the clear that ends a generation.
    pub(crate) fn mark(&self, generation: usize) -> Path {
        self.marks.clone().join(format!("{generation:016x}"))
    }
}

/// The generation of a row, by its name.
pub(crate) fn generation_of(row: &Path) -> Option<usize> {
    let (generation, _) = row.filename()?.split_once('-')?;
    usize::from_str_radix(generation, 16).ok()
}
