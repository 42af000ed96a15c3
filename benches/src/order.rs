//! Who comes after whom when peers take turns.

/// In which order so many rows have their turns in a round: groups of `group` rows one after the other,
/// each beginning with another row than in the round before, and once every row has begun, backwards. So no
/// row always comes after the same one and bears what that one left to the disk.
pub fn order_of_turns(round: usize, rows: usize, group: usize) -> Vec<usize> {
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
