#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
enum Order {
    Charge,
    Pack(u8),
}

fn main() {}
