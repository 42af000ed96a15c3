//! placeholder
use crate::arguments::{SoakChild, Soaking};
use std::process::ExitCode;
pub(crate) fn run(_: &Soaking) -> Result<ExitCode, String> {
    Err("not yet".into())
}
pub(crate) fn child(_: &SoakChild) -> Result<ExitCode, String> {
    Err("not yet".into())
}
