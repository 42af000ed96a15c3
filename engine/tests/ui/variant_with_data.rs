#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint_engine::State)]
enum Order {
    Charge,
    Pack(u8),
}

fn main() {}
