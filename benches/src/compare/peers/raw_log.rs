//! A log file with group commit and nothing else: no index, no duplicates, no loads. What a disk can
//! do at most.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use async_trait::async_trait;

use crate::group::{Batch, Group, Write};
use crate::peers::{Subject, VALUE};

pub(crate) struct Store(Group);

struct Log {
    file: File,
    frames: Vec<u8>,
}

impl Store {
    pub(crate) fn open(folder: &Path) -> Self {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(folder.join("log"));
        Self(Group::new(Log {
            file: file.expect("the disk takes it"),
            frames: Vec::new(),
        }))
    }
}

impl Batch for Log {
    fn commit(&mut self, writes: &[Write]) {
        self.frames.clear();
        for write in writes {
            let (id, sequence, value) = match write {
                Write::Append { id, sequence } => (id, *sequence, &[0x5a; VALUE][..]),
                Write::Clear { id } => (id, u64::MAX, &[][..]),
            };
            let length = (id.len() + value.len()) as u32;
            self.frames.extend(length.to_le_bytes());
            self.frames.extend(sequence.to_le_bytes());
            self.frames.extend(id.as_bytes());
            self.frames.extend(value);
        }
        let written = self.file.write_all(&self.frames);
        written
            .and_then(|()| self.file.sync_data())
            .expect("the disk takes it");
    }
}

#[async_trait]
impl Subject for Store {
    async fn append(&self, id: &str, sequence: u64) {
        self.0.append(id, sequence).await;
    }

    async fn clear(&self, id: &str) {
        self.0.clear(id).await;
    }

    async fn load(&self, _: &str) -> usize {
        unreachable!("a log without an index is not asked for a run")
    }
}
