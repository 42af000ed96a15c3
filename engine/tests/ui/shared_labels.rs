#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
enum Order {
    Charge,
    #[state(rename = "Charge")]
    Pack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
enum Mail {
    Sent,
    #[state(alias = "Sent")]
    Archived,
}

fn main() {}
