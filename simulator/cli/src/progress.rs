//! Progress on a terminal, and how long things took.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error; it draws nothing where that is no terminal.
pub(crate) fn bar(parts: usize) -> ProgressBar {
    let bar = ProgressBar::new(parts as u64);
    let style = "{msg}  {wide_bar:.dim}  {pos}/{len} parts  {elapsed} ({eta} left)";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_message("exploring");
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Measures elapsed time, for people alone: no result depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "what people are told about the time it took"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
