struct Store;

#[crashpoint_engine::checkpoint_store(name = "store")]
impl Store {}

#[crashpoint_engine::checkpoint_store(crate)]
impl Store {}

fn main() {}
