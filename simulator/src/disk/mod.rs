//! A disk in memory that tracks what is durable.
//!
//! It holds the single file of a store. Written content is visible at once, to every process. A
//! sync makes it durable; a power loss takes away some or all of the rest. The file's content and
//! its name become durable separately, as in a real folder.
//!
//! - `pages.rs`: contents in pages that copies share;
//! - `change.rs`: a change of a content, and its effect on the pages;
//! - `state.rs`: the visible and the durable content, and the effect of each step;
//! - `loss.rs`: what may survive a power loss;
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

/// A simulated disk. Clones are handles of the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<Device>>);

#[derive(Debug, Default)]
struct Device {
    image: Image,
    lie: Lie,
    faults: Faults,
    /// Every step since the recording began.
    tape: Option<Vec<Step>>,
    /// Whether every call fails, because the process has died.
    dead: bool,
}

impl SimDisk {
    /// An empty disk with this lie.
    pub fn new(lie: Lie) -> Self {
        Self::of(Image::default(), lie)
    }

    /// A disk with this content and this lie.
    pub fn of(image: Image, lie: Lie) -> Self {
        Self(Arc::new(Mutex::new(Device {
            image,
            lie,
            ..Device::default()
        })))
    }

    /// The current content of the disk.
    pub fn image(&self) -> Image {
        self.device().image.clone()
    }

    /// An independent disk with the same content, lie and armed fault.
    pub(crate) fn copy(&self) -> Self {
        let device = self.device();
        let copy = Self::of(device.image.clone(), device.lie);
        copy.device().faults = device.faults.clone();
        copy
    }

    /// The armed fault, until the disk is mended.
    pub(crate) fn armed(&self) -> Option<Failure> {
        self.device().faults.armed
    }

    /// Arms a fault, which counts calls from the next one. It replaces an armed fault.
    pub fn arm(&self, fault: Failure) {
        self.device().faults = Faults {
            armed: Some(fault),
            ..Faults::default()
        };
    }

    /// Removes the armed fault, and returns the number of calls that it failed.
    pub fn mend(&self) -> u64 {
        std::mem::take(&mut self.device().faults).fired
    }

    /// The number of calls of this kind since the disk was made, armed or mended.
    pub fn calls(&self, call: Call) -> u64 {
        self.device().faults.calls[call as usize]
    }

    /// From now on every call fails and changes nothing.
    pub(crate) fn kill(&self) {
        self.device().dead = true;
    }

    /// Begins a recording.
    pub(crate) fn record(&self) {
        self.device().tape = Some(Vec::new());
    }

    /// The number of recorded steps.
    pub(crate) fn recorded(&self) -> usize {
        self.device().tape.as_ref().map_or(0, Vec::len)
    }

    /// Ends the recording and returns its steps.
    pub(crate) fn take_recording(&self) -> Vec<Step> {
        self.device().tape.take().unwrap_or_default()
    }

    /// Whether a file has the name.
    pub fn has_name(&self) -> bool {
        self.device().image.has_name()
    }

    /// Begins an empty draft. An earlier draft is discarded.
    pub fn begin_draft(&self) {
        let drafted = self.device().step(Step::Draft);
        // A dead process gets its error from its next call on the draft.
        drop(drafted);
    }

    /// Gives the draft the name. The name is visible at once, but not durable.
    ///
    /// # Errors
    ///
    /// If the name is taken, or there is no draft.
    pub fn name_draft(&self) -> io::Result<()> {
        self.device().step(Step::Rename)
    }

    /// Makes the name durable, if a file has it.
    ///
    /// # Errors
    ///
    /// If a fault fails the sync; the name is then unchanged.
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
    /// If the file does not exist.
    pub fn len(&self, which: Which) -> io::Result<u64> {
        let device = self.device();
        device.alive()?;
        Ok(device.image.file(which)?.seen.len())
    }

    /// Reads bytes from `offset` on, until `out` is full.
    ///
    /// # Errors
    ///
    /// If the file does not exist, the range reaches past its end, or a fault fails the read.
    pub fn read(&self, which: Which, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut device = self.device();
        device.alive()?;
        device.faults.on(Call::Read, 0)?;
        device.image.file(which)?.seen.read(offset, out)
    }

    /// Sets the length of a file, in bytes. New bytes are zero.
    ///
    /// # Errors
    ///
    /// If the file does not exist, the length exceeds the memory, the disk is full, or a fault
    /// fails the write.
    pub fn set_len(&self, which: Which, length: u64) -> io::Result<()> {
        self.change(which, length, Change::SetLen(length))
    }

    /// Overwrites bytes of a file, from `offset` on.
    ///
    /// # Errors
    ///
    /// If the file does not exist, the range reaches past its end, the disk is full, or a fault
    /// fails the write.
    pub fn write(&self, which: Which, offset: u64, data: &[u8]) -> io::Result<()> {
        let end = offset.saturating_add(data.len() as u64);
        self.change(which, end, Change::Write(Write::new(offset, data)))
    }

    /// Makes the content of a file durable, including its length.
    ///
    /// # Errors
    ///
    /// If the file does not exist, or a fault fails the sync.
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

    /// Whether a power loss would change the visible content.
    pub fn has_unsynced(&self) -> bool {
        let device = self.device();
        device.image.differs_from_durable()
    }

    /// Loses the power: only durable content survives.
    pub fn lose_power(&self) {
        self.lose_power_but(&Loss::OF_ALL);
    }

    /// Loses the power: durable content survives, and what `loss` keeps.
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
