//! Deterministic simulator for `crashpoint-engine`.
