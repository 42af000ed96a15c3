#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
enum Order {
    #[state(rename = "")]
    Charge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
enum Mail {
    #[state(rename = "a", rename = "b")]
    Sent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
enum Trip {
    #[state(label = "home")]
    Home,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
#[state(rename = "walks")]
enum Walk {
    Home,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, crashpoint::State)]
enum Ride {
    #[state(alias = "")]
    Home,
}

fn main() {}
