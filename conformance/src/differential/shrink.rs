//! Shrinks a case that shows a difference.

use proptest::strategy::ValueTree;

use super::operations::Operations;
use super::play::play;
use crate::finding::expect::Failure;
use crate::harness::Subject;

/// The most cases that are tried to shrink one.
const SHRINKS_MAX: usize = 4000;

/// Shrinks a case with proptest, then by removing single operations.
pub(super) fn smallest(
    subject: &Subject,
    mut tree: impl ValueTree<Value = Operations>,
) -> Operations {
    let mut left = SHRINKS_MAX;
    let mut differs = |operations: &Operations| {
        left = left.saturating_sub(1);
        let played = play(subject, operations);
        let at = played.answers.len();
        (left > 0 && matches!(played.checked, Err(Failure::Broken(_)))).then_some(at)
    };
    let mut found = tree.current();
    'simpler: while tree.simplify() {
        while differs(&tree.current()).is_none() {
            if !tree.complicate() {
                break 'simpler;
            }
        }
        found = tree.current();
    }
    // Remove each operation in turn; the rest is needed.
    let drawn = found.as_slice().len();
    let mut index = drawn;
    while index > 0 {
        index -= 1;
        let shorter = found.without(index);
        if let Some(at) = differs(&shorter) {
            found = shorter.up_to(at);
            index = found.as_slice().len();
        }
    }
    assert!(
        found.as_slice().len() <= drawn,
        "shrinking adds no operation"
    );
    for index in 0..found.as_slice().len() {
        let simpler = found.with_one_row(index);
        let simpler = simpler
            .into_iter()
            .find(|simpler| differs(simpler).is_some());
        found = simpler.unwrap_or(found);
    }
    found
}
