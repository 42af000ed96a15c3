//! Disk faults, each in a run of its own: errors at every call, every size of a full disk, lies, flipped
//! bits.

use crate::choices::Seeded;
use crate::disk::{Call, Failure, Image, Lasting, Lie, Loss, SimDisk};
use crate::images::Exploration;
use crate::images::explore::Explorer;
use crate::images::hazard::Hazard;
use crate::images::machine::{Machine, Open, PANICKED, caught};
use crate::images::model::{described, shown};
use crate::images::recording::Recording;
use crate::images::report::ImagesReport;

/// The difference between two sizes of a full disk, in bytes: a page of the database.
const FULL_STEP_BYTES: u64 = 4096;

/// The result of flipping bits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rot {
    /// The number of images with a flipped bit.
    pub images: u64,
    /// Those that opened with the right rows.
    pub right: u64,
    /// Those whose opening, or whose load of a run, was refused.
    pub refused: u64,
    /// The errors of the others.
    pub wrong: Vec<String>,
}

impl<S: Open> Exploration<'_, S> {
    /// Runs the script again for every read, write and sync that it makes, with that call failing,
    /// once and permanently, and explores every crash of each run.
    pub fn every_error(&self) -> ImagesReport {
        let calls = self.calls();
        let broken = calls.into_iter().flat_map(|(call, count)| {
            (0..count).flat_map(move |at| {
                let lasting = [Lasting::Once, Lasting::ForGood];
                lasting.map(|lasting| Failure::Broken { call, at, lasting })
            })
        });
        self.each(broken)
    }

    /// Runs the script again on a disk of every size that is too small, in steps of 4 KiB, and
    /// explores every crash of each run.
    pub fn every_size(&self) -> ImagesReport {
        let length = self.recording().closed.length();
        let sizes = (0..length.div_ceil(FULL_STEP_BYTES)).map(|pages| pages * FULL_STEP_BYTES);
        self.each(sizes.map(|bytes| Failure::Full { bytes }))
    }

    /// Explores every crash on a disk with each lie. The reports count only the hazards of lies, because a
    /// correct disk shows the others.
    pub fn every_lie(&self) -> Vec<ImagesReport> {
        let lies = [Lie::Writes, Lie::EveryNth(2), Lie::Names].into_iter();
        let reports = lies.map(|lie| {
            let mut lying = self.lying(lie).explore();
            let hazards = &mut lying.hazards;
            hazards.retain(|hazard, _| matches!(hazard, Hazard::Lie(_)));
            lying
        });
        reports.collect()
    }

    fn each(&self, faults: impl Iterator<Item = Failure>) -> ImagesReport {
        let mut explorer = Explorer::new(self.store, self.recording().runs);
        for fault in faults {
            let again = self.failing(fault);
            explorer.explore(&again.recording(), self.reach(), again.faulty);
        }
        explorer.report
    }

    fn calls(&self) -> Vec<(Call, u64)> {
        let calls = self.recording().calls;
        std::iter::zip(Call::ALL, calls).collect()
    }

    /// Flips one bit in each of this many images, drawn from a seed: half of them after a clean
    /// close, half after a power loss anywhere. A store passes if it shows the right rows, or
    /// refuses the file or a run. Wrong or missing rows fail.
    pub fn rot(&self, images: u64, seed: u64) -> Rot {
        let recording = self.recording();
        let mut draw = Seeded::new(seed);
        let mut below = |bound: u64| draw.next_u64() % bound;
        let mut rot = Rot::default();
        while rot.images < images {
            let mut position = recording.steps.len();
            let mut image = recording.closed.clone();
            if rot.images % 2 == 1 {
                position = below(position as u64 + 1) as usize;
                image = recording.disk_at(position).without_power(&Loss::OF_ALL);
            }
            let used = image.used();
            if used.is_empty() {
                continue;
            }
            let page = &used[below(used.len() as u64) as usize];
            let (byte, bit) = (page.start + below(page.end - page.start), below(8) as u8);
            rot.images += 1;
            let flipped = image.flip(byte, bit).map_err(|error| error.to_string());
            match flipped.and_then(|()| self.judge(&recording, position, &image)) {
                Ok(true) => rot.right += 1,
                Ok(false) => rot.refused += 1,
                Err(wrong) => rot.wrong.push(format!("bit {bit} of byte {byte}, {wrong}")),
            }
        }
        rot
    }

    /// Whether the content is right (true) or refused (false).
    fn judge(&self, recording: &Recording, position: usize, image: &Image) -> Result<bool, String> {
        let disk = SimDisk::of(image.clone(), Lie::None);
        let machine = match Machine::open(self.store, &disk) {
            Ok(machine) => machine,
            Err(complaint) if complaint.contains(PANICKED) => return Err(complaint),
            Err(_) => return Ok(false),
        };
        let mut right = true;
        for (run, logs) in recording.possible(position).iter() {
            match machine.load(run) {
                Ok(found) if logs.contains(&found) => {}
                Ok(found) => {
                    let expected = described(logs);
                    return Err(format!("{run} has {}, and {expected}", shown(&found)));
                }
                Err(complaint) if complaint.contains(PANICKED) => return Err(complaint),
                Err(_) => right = false,
            }
        }
        disk.kill();
        caught(|| drop(machine))?;
        Ok(right)
    }
}
