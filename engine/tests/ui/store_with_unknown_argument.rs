struct Store;

#[crashpoint::checkpoint_store(name = "store")]
impl Store {}

#[crashpoint::checkpoint_store(crate)]
impl Store {}

fn main() {}
