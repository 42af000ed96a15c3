#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
struct Order;

fn main() {}
