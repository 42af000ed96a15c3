//! How the kit opens the store, for the certificate and for the benchmarks.

use crashpoint_conformance::{BoxError, Harness, Options, Place};
use sqlite_store::SqliteCheckpointStore;

pub(crate) struct Sqlite;

impl Harness for Sqlite {
    type Store = SqliteCheckpointStore;

    async fn open(place: &Place) -> Result<SqliteCheckpointStore, BoxError> {
        Ok(SqliteCheckpointStore::open(
            place.path().join("runs.sqlite"),
        )?)
    }

    fn options() -> Options {
        let mut options = Options::default();
        options.reserved_names = ["rows", "sqlite_schema", "runs.sqlite-wal"]
            .map(str::to_owned)
            .into();
        options
    }
}
