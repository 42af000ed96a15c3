//! The command `crashpoint`.

fn main() {}
