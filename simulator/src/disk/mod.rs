//! A disk in memory that knows what is durable.
//!
//! It holds the one file of a store. What is written is seen at once, by every process, and is
//! durable once it was synced; a power loss takes the rest away, or some of it. The file's content
//! and its name are made durable apart, as in a real folder.
//!
//! - `pages.rs`: contents in pages that copies share;
//! - `change.rs`: a change of a content, and what it makes of the pages;
//! - `state.rs`: what is seen, what is durable, and what a step makes of both;
//! - `loss.rs`: what may be left when the power fails;
//! - `fault.rs`: errors, a full disk, lies;
//! - `file.rs`: the disk as a place for the embedded store.

mod change;
mod fault;
mod file;
mod loss;
mod pages;
mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::executor::lock;

pub(crate) use self::change::Change;
pub use self::fault::{Call, Failure, Lasting, Lie};
pub use self::file::SimFile;
pub use self::loss::{BadLoss, Loss, SAMPLES, SECTORS_MAX, SUBSETS_MAX};
pub(crate) use self::loss::{Kept, Others, Sectors};
pub use self::state::{Image, Which};
pub(crate) use self::state::{Step, Synced};

use self::fault::Faults;
use self::pages::Write;

/// A disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<Device>>);

#[derive(Debug, Default)]
struct Device {
    image: Image,
    lie: Lie,
    faults: Faults,
    /// Every step since the recording began.
    tape: Option<Vec<Step>>,
    /// Whether everything fails, as for a process that has died.
    dead: bool,
}

impl SimDisk {
    /// An empty disk that lies in this way.
    pub fn new(lie: Lie) -> Self {
        Self::of(Image::default(), lie)
    }

    /// A disk that was found like this and lies in this way.
    pub fn of(image: Image, lie: Lie) -> Self {
        Self(Arc::new(Mutex::new(Device {
            image,
            lie,
            ..Device::default()
        })))
    }

    /// What is on the disk now.
    pub fn image(&self) -> Image {
        self.device().image.clone()
    }

    /// A disk of its own with the same content, the same lie and what is armed.
    pub(crate) fn copy(&self) -> Self {
        let device = self.device();
        let copy = Self::of(device.image.clone(), device.lie);
        copy.device().faults = device.faults.clone();
        copy
    }

    /// What was armed and not mended.
    pub(crate) fn armed(&self) -> Option<Failure> {
        self.device().faults.armed
    }

    /// From here on this goes wrong, counted from the next call. One fault at a time.
    pub fn arm(&self, fault: Failure) {
        self.device().faults = Faults {
            armed: Some(fault),
            ..Faults::default()
        };
    }

    /// Nothing goes wrong from here on; says how many calls did.
    pub fn mend(&self) -> u64 {
        std::mem::take(&mut self.device().faults).fired
    }

    /// How many calls of this kind there were since the disk was made, armed or mended.
    pub fn calls(&self, call: Call) -> u64 {
        self.device().faults.calls[call as usize]
    }

    /// From here on every call fails, and nothing changes.
    pub(crate) fn kill(&self) {
        self.device().dead = true;
    }

    /// Begins a recording.
    pub(crate) fn record(&self) {
        self.device().tape = Some(Vec::new());
    }

    /// How many steps were recorded.
    pub(crate) fn recorded(&self) -> usize {
        self.device().tape.as_ref().map_or(0, Vec::len)
    }

    /// Ends the recording.
    pub(crate) fn take_recording(&self) -> Vec<Step> {
        self.device().tape.take().unwrap_or_default()
    }

    /// Whether there is a file with the name.
    pub fn has_name(&self) -> bool {
        self.device().image.has_name()
    }

    /// Begins an empty draft; one that was there before is forgotten.
    pub fn begin_draft(&self) {
        let drafted = self.device().step(Step::Draft);
        // A process that has died gets its error from what it does with the draft.
        drop(drafted);
    }

    /// Gives the draft the name, at once and not yet durably.
    ///
    /// # Errors
    ///
    /// Where the name is taken, and where there is no draft.
    pub fn name_draft(&self) -> io::Result<()> {
        self.device().step(Step::Rename)
    }

    /// Makes the name durable, where there is one.
    ///
    /// # Errors
    ///
    /// Where a sync is made to fail: the name is what it was.
    pub fn sync_name(&self) -> io::Result<()> {
        let mut device = self.device();
        device.alive()?;
        if let Err(error) = device.faults.on(Call::Sync, 0) {
            device.step(Step::SyncName(Synced::Failed))?;
            return Err(error);
        }
        let synced = match device.lie {
            Lie::Names => Synced::Lied,
            Lie::None | Lie::Writes | Lie::EveryNth(_) => Synced::Durable,
        };
        device.step(Step::SyncName(synced))
    }

    /// The length of a file, in bytes.
    ///
    /// # Errors
    ///
    /// Where there is no such file, as with every operation on one.
    pub fn len(&self, which: Which) -> io::Result<u64> {
        let device = self.device();
        device.alive()?;
        Ok(device.image.file(which)?.seen.len())
    }

    /// Reads as many bytes as `out` has room for.
    ///
    /// # Errors
    ///
    /// Where they reach past the end, and where a read is made to fail.
    pub fn read(&self, which: Which, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut device = self.device();
        device.alive()?;
        device.faults.on(Call::Read, 0)?;
        device.image.file(which)?.seen.read(offset, out)
    }

    /// Sets the length of a file; new bytes are zero.
    ///
    /// # Errors
    ///
    /// Where the length is more than memory can have, where the disk is full, and where a write is
    /// made to fail.
    pub fn set_len(&self, which: Which, length: u64) -> io::Result<()> {
        self.change(which, length, Change::SetLen(length))
    }

    /// Overwrites bytes of a file.
    ///
    /// # Errors
    ///
    /// Where they reach past the end, where the disk is full, and where a write is made to fail.
    pub fn write(&self, which: Which, offset: u64, data: &[u8]) -> io::Result<()> {
        let end = offset.saturating_add(data.len() as u64);
        self.change(which, end, Change::Write(Write::new(offset, data)))
    }

    /// Makes the content of a file durable, its length included.
    ///
    /// # Errors
    ///
    /// Where there is no such file, and where a sync is made to fail.
    pub fn sync(&self, which: Which) -> io::Result<()> {
        let mut device = self.device();
        device.alive()?;
        device.image.file(which)?;
        if let Err(error) = device.faults.on(Call::Sync, 0) {
            device.step(Step::Sync(which, Synced::Failed))?;
            return Err(error);
        }
        let synced = match which {
            Which::Named if device.lies() => Synced::Lied,
            Which::Named | Which::Draft => Synced::Durable,
        };
        device.step(Step::Sync(which, synced))
    }

    /// Whether a power loss would change what is seen.
    pub fn has_unsynced(&self) -> bool {
        let device = self.device();
        device.image.differs_from_durable()
    }

    /// Takes away what is not durable.
    pub fn lose_power(&self) {
        self.lose_power_but(&Loss::OF_ALL);
    }

    /// Takes away what is not durable, but for what this leaves.
    pub fn lose_power_but(&self, loss: &Loss) {
        let mut device = self.device();
        device.image = device.image.without_power(loss);
    }

    fn change(&self, which: Which, end: u64, change: Change) -> io::Result<()> {
        let mut device = self.device();
        device.alive()?;
        device.faults.on(Call::Write, end)?;
        device.step(Step::Change(which, change))
    }

    fn device(&self) -> MutexGuard<'_, Device> {
        lock(&self.0)
    }
}

impl Device {
    fn alive(&self) -> io::Result<()> {
        match self.dead {
            true => Err(io::Error::other("simulated: the process has died")),
            false => Ok(()),
        }
    }

    fn step(&mut self, step: Step) -> io::Result<()> {
        self.alive()?;
        self.image.apply(&step)?;
        if let Some(tape) = &mut self.tape {
            tape.push(step);
        }
        Ok(())
    }

    fn lies(&mut self) -> bool {
        self.faults.syncs += 1;
        match self.lie {
            Lie::Writes => true,
            Lie::EveryNth(n) => self.faults.syncs.is_multiple_of(n),
            Lie::None | Lie::Names => false,
        }
    }
}
