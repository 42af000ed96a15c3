#[crashpoint::checkpoint_store]
fn append() {}

#[crashpoint::checkpoint_store]
struct Store;

fn main() {}
