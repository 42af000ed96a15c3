#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint_engine::State)]
enum Order {
    Charge,
    #[state(rename = "Charge")]
    Pack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint_engine::State)]
enum Mail {
    Sent,
    #[state(alias = "Sent")]
    Archived,
}

fn main() {}
