//! The bytes on disk for each byte of payload.

use crate::case::{Blame, Case};
use crate::finding::expect::{Checked, Failure, broken, row};
use crate::harness::hooks::files_below;
use crate::runtime::draws::noise;

/// Blobs of 4 KiB, 2 MiB in total, so that the fixed cost of a file is a small part.
const BLOB: usize = 4 << 10;
const ROWS: u64 = 512;

/// The factor that leaves room for copies, indices, growth and garbage together.
const TIMES: u64 = 16;

pub(crate) async fn prf_05_bytes_on_disk_for_a_byte_of_payload(case: &Case) -> Checked {
    let store = case.open().await?;
    for sequence in 0..ROWS {
        // All blobs differ and can't be compressed, so that compression does not hide the cost.
        let blob = noise(sequence, BLOB);
        store
            .append("payload", &row(sequence).with_output(blob))
            .await?;
    }
    case.drop_all(store).await?;
    case.progress.step(Blame::Harness, "measuring the files");
    let measured = files_below(case.place().path()).and_then(|files| {
        let sizes = files
            .into_iter()
            .map(|file| Ok(std::fs::metadata(file)?.len()));
        sizes.sum::<std::io::Result<u64>>()
    });
    let bytes = measured.map_err(|error| Failure::Harness(format!("no sizes: {error}")))?;
    let payload = ROWS * BLOB as u64;
    if bytes < payload / TIMES {
        return Err(broken(format!(
            "{ROWS} rows with blobs of {BLOB} bytes: expected about {payload} bytes in files below the \
             place, as `on_disk` claims, got {bytes}"
        )));
    }
    if bytes > payload * TIMES {
        return Err(broken(format!(
            "{ROWS} rows with blobs of {BLOB} bytes: expected at most {TIMES} times that in files, got \
             {bytes} bytes for {payload}"
        )));
    }
    Ok(())
}
