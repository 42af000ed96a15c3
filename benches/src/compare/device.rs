//! Flushes and bytes of a disk, as the kernel counts them.
//!
//! The counters are those of the whole device, with the work of other processes. Only Linux has them.

use std::fs::read_to_string;
use std::path::Path;

/// The counters of a device since it was attached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counters {
    pub(crate) flushes: u64,
    pub(crate) bytes: u64,
}

/// The counters of the device that the folder is on; none where the system has none.
pub(crate) fn counters(folder: &Path) -> Option<Counters> {
    let device = device_of(folder)?;
    let text = read_to_string(format!("/sys/dev/block/{device}/stat")).ok()?;
    let fields: Vec<u64> = text
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    // Documentation/block/stat.rst: sectors written, of 512 bytes whatever the device has, and flush
    // requests.
    Some(Counters {
        flushes: *fields.get(15)?,
        bytes: fields.get(6)? * 512,
    })
}

#[cfg(target_os = "linux")]
fn device_of(folder: &Path) -> Option<String> {
    let device = rustix::fs::stat(folder).ok()?.st_dev;
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    Some(format!("{major}:{minor}"))
}

#[cfg(not(target_os = "linux"))]
fn device_of(_: &Path) -> Option<String> {
    None
}
