//! Writes the seeds of the target `rebuild_rows` into its corpus. Run from anywhere:
//! `cargo run -p crashpoint-fuzz --example write_seeds`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/rebuild_rows");
    std::fs::create_dir_all(&corpus)?;
    for seed in crashpoint_fuzz::seeds() {
        std::fs::write(corpus.join(seed.name), seed.input)?;
    }
    Ok(())
}
