//! Where a benchmark's files are: a number about a disk means nothing without it.

use std::fs::read_to_string;
use std::path::Path;

/// The type of the file system that `path` lies in, such as `ext4`; `unknown` where the system does
/// not say.
pub fn file_system_of(path: &Path) -> String {
    // The mounts, on Linux. Other systems have no such file.
    let mounts = read_to_string("/proc/self/mounts").unwrap_or_default();
    let fields = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        Some((fields.nth(1)?, fields.next()?))
    });
    let around = fields.filter(|(place, _)| path.starts_with(place));
    let closest = around.max_by_key(|(place, _)| place.len());
    closest.map_or_else(|| "unknown".to_owned(), |(_, kind)| kind.to_owned())
}
