#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
enum Order {}

fn main() {}
