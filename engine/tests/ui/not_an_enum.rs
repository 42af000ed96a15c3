#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint_engine::State)]
struct Order;

fn main() {}
