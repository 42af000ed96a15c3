//! Percentiles and medians.

/// The value below which `percent` of a hundred values are; `sorted` is ascending, `percent` in
/// `0..=100`. 0 of no values.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    assert!(percent <= 100, "a percentile is a part of a hundred");
    debug_assert!(sorted.is_sorted(), "the caller has sorted the values");
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or(0)
}

/// The middle value; of an even number of values the upper of the two, of none 0.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
