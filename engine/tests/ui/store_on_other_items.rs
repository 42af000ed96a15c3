#[crashpoint_engine::checkpoint_store]
fn append() {}

#[crashpoint_engine::checkpoint_store]
struct Store;

fn main() {}
