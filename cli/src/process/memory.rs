//! How much memory the process has.

use std::fmt;
use std::fs;

/// The resident memory of this process, if the operating system reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resident(Option<u64>);

impl Resident {
    /// Asks Linux; of other systems none is asked.
    pub(crate) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status");
        Self::of_status(&status.unwrap_or_default())
    }

    /// The value of the line `VmRSS:     12345 kB` of a process's status, where `kB` are KiB.
    ///
    /// ```
    /// use crashpoint_cli::process::memory::Resident;
    ///
    /// let status = "VmPeak:\t   2048 kB\nVmRSS:\t    1536 kB\n";
    /// assert_eq!(Resident::of_status(status).to_string(), "1.5 MiB");
    /// assert_eq!(Resident::of_status("Name:\tidle\n").to_string(), "unknown");
    /// ```
    pub fn of_status(status: &str) -> Self {
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix("kB"));
        Self(number.and_then(|number| number.trim_end().parse().ok()))
    }
}

impl fmt::Display for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(kibibytes) => write!(f, "{:.1} MiB", kibibytes as f64 / 1024.0),
            None => f.write_str("unknown"),
        }
    }
}
