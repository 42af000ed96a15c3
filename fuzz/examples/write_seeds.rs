//! Writes the seeds of every target into its corpus. Run from anywhere:
//! `cargo run -p crashpoint-fuzz --example write_seeds`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    for target in crashpoint_fuzz::TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target.name);
        std::fs::create_dir_all(&corpus)?;
        for seed in (target.seeds)() {
            std::fs::write(corpus.join(seed.name), seed.input)?;
        }
    }
    Ok(())
}
