//! Worlds of several nodes: workers that are killed and cut off, a store behind a network.
//!
//! `cargo simtest` builds and runs it. In a plain build there is nothing here but a check that a
//! plain build is what was asked for.

#[cfg(madsim)]
mod defects;
#[cfg(madsim)]
mod determinism;
#[cfg(madsim)]
mod parity;
#[cfg(madsim)]
mod properties;
#[cfg(madsim)]
mod protocol;
#[cfg(madsim)]
#[path = "../shared/second_process.rs"]
mod second_process;
#[cfg(madsim)]
mod worlds;

/// With `RUSTFLAGS` set, cargo ignores the flags of the alias, and the lane would pass without
/// testing anything.
#[cfg(not(madsim))]
#[test]
fn the_lane_is_built_wherever_it_is_asked_for() {
    let asked_for = std::env::var("CRASHPOINT_LANE").ok();
    assert_ne!(
        asked_for.as_deref(),
        Some("madsim"),
        "the madsim lane was asked for, but this was built without `--cfg madsim`: unset RUSTFLAGS, \
         CARGO_ENCODED_RUSTFLAGS and target.*.rustflags, or add `--cfg madsim` to them",
    );
}
