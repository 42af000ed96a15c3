//! The embedded stores of two releases of the reference crate, certified through the kit's adapters.
//! The project's `docs/findings.md` lists the laws that they break.

/// A module with the certificate of one release. The two differ only in the crate.
macro_rules! certificate {
    ($release:ident, $cano:ident) => {
        mod $release {
            use crashpoint_conformance::cano::$release::Adapted;
            use crashpoint_conformance::{BoxError, Damage, Harness, Hook, Options, Place};
            use $cano::RedbCheckpointStore;

            struct Redb;

            impl Harness for Redb {
                type Store = Adapted<RedbCheckpointStore>;

                async fn open(place: &Place) -> Result<Self::Store, BoxError> {
                    let path = place.path().join("runs.redb");
                    Ok(Adapted(RedbCheckpointStore::new(path)?))
                }

                fn duplicate(store: &Self::Store) -> Option<Self::Store> {
                    Some(store.clone())
                }

                /// The file contains blobs unchanged.
                async fn corrupt(place: &Place, damage: Damage<'_>) -> Result<Hook, BoxError> {
                    Ok(damage.flip_bit(place.path())?)
                }

                fn options() -> Options {
                    let mut options = Options::default();
                    options.reserved_names =
                        ["cano_checkpoints", "runs.redb"].map(str::to_owned).into();
                    options
                }
            }

            crashpoint_conformance::certify! {
                harness: Redb,
                claims: [
                    reopen,
                    limits,
                    any_executor,
                    outlives_runtime,
                    fenced_cancellation,
                    settled,
                    process_crash,
                    power_loss,
                    many_processes,
                    corruption,
                    on_disk,
                ],
                lacks: [engine_kinds],
                waive: [
                    RUN_03 => "findings: a commit holds its thread for as long as the disk takes",
                ],
                expect_fail: [
                    DUR_07 => "findings: killed while it makes its file, it never opens again",
                    DUR_09 => "findings: the directory of a new file is not synced",
                    DUR_12 => "findings: a flipped bit of a blob is believed",
                    DUR_13 => "findings: after a failed sync it goes on answering loads",
                    DUR_15 => "findings: the directory of a new file is not synced",
                    DUR_18 => "findings: killed while it makes its file, it never opens again",
                    DUR_19 => "findings: the directory of a new file is not synced",
                ],
            }
        }
    };
}

certificate!(v0_12, cano_0_12);
certificate!(v0_15, cano_0_15);
