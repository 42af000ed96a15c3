//! How many crash images a second are opened and looked at, on one core: every crash of a script of
//! 40 transactions. Images that are equal to another one are opened once and not counted.

use crashpoint_simulator::images::{Embedded, Exploration, Script};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const TRANSACTIONS: usize = 40;

fn images(c: &mut Criterion) {
    let script = Script::appends(TRANSACTIONS);
    let exploration = Exploration::of(&script, &Embedded);
    let total = exploration.explore().total();
    let mut group = c.benchmark_group("images");
    group.sample_size(10);
    group.throughput(Throughput::Elements(total.images - total.merged));
    group.bench_function("40 transactions", |bencher| {
        bencher.iter(|| {
            let report = exploration.explore();
            assert_eq!(report.violations_total, 0, "{report}");
        });
    });
    group.finish();
}

criterion_group!(benches, images);
criterion_main!(benches);
