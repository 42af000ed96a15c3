//! A store for the reference crate, which has three kinds of rows, keeps every law except those of the claim
//! that it lacks.

use crate::mutants::{Broken, Mutated, eng};

crashpoint_conformance::certify! {
    harness: Mutated<Broken<eng::WildcardKinds>>,
    claims: [reopen, any_executor, fenced_cancellation, settled],
    lacks: [engine_kinds],
    waive: [DUR_16 => "its rows are in the memory of this process"],
}
