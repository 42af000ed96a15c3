//! `crashpoint replay`: one schedule again, with its story.

use std::io::Write;

use crashpoint_simulator::workload;
use crashpoint_simulator::{Token, oracle, render, replay};

use crate::{CLEAN, Failure, VIOLATED};

pub(crate) fn run(token: &str, out: &mut impl Write) -> Result<u8, Failure> {
    let token: Token = token
        .parse()
        .map_err(|error| Failure::Usage(format!("{error}")))?;
    let workload = workload::named(&token.workload).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no workload {}",
            render::escaped(&token.workload)
        ))
    })?;
    let run = replay(&workload, &token).map_err(|error| Failure::Usage(error.to_string()))?;
    let verdicts = oracle::judge(&workload, &run);
    writeln!(out, "{}: {}\n", workload.name, workload.about)?;
    write!(out, "{}", render::story(&run, &verdicts))?;
    Ok(if verdicts.is_empty() { CLEAN } else { VIOLATED })
}
