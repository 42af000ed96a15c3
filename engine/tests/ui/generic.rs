#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint_engine::State)]
enum Order<T> {
    Charge,
    Pack(T),
}

fn main() {}
