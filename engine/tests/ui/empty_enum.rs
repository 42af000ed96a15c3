#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint_engine::State)]
enum Order {}

fn main() {}
