//! The order in which peers take turns.

/// The order in which `rows` rows take their turns in a round: one group of `group` rows after the
/// other. Each round begins a group with another row, and reverses the group once every row has begun.
/// So no row always follows the same row and pays for its unfinished disk work.
pub fn turn_order(round: usize, rows: usize, group: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    for group in order.chunks_mut(group.max(1)) {
        let (turned, first) = (round / group.len(), round % group.len());
        group.rotate_left(first);
        if !turned.is_multiple_of(2) {
            group.reverse();
        }
    }
    order
}
