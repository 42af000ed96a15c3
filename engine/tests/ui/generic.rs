#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
enum Order<T> {
    Charge,
    Pack(T),
}

fn main() {}
