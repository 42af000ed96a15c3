//! The guide to the laws of order.

use super::guide;

guide! {
    about "Loading is a replay: the engine reads the rows from first to last and does not sort them. \
           Sequences are `u64`, over the full range."
    sql "`ORDER BY sequence` in every load, and a numeric column; if the widest type is a signed 64-bit \
         integer, store `sequence as i64 ^ i64::MIN` (or a fixed 8-byte big-endian blob), which keeps the \
         order"
    kv "the sequence as 8 big-endian bytes at the end of the key; a range scan is then the load"
    files "after reading a directory or a log, sort by the decoded number; pad names to 20 digits, or parse \
           them before comparing"

    ORD_01 Load
        why "Replaying the rows in another order ends in a state that the run never had."
        cause "Loads follow the order of insertion, of a hash or of file names."
        fix "Order a load by the sequence and by nothing else.";
    ORD_02 Load
        why "Two lives and delayed requests make rows arrive out of order. A load is in the order of \
             sequences, not of arrival."
        cause "`ORDER BY` is missing, or an append-only file is read from front to back."
        fix "Sort the rows by sequence in every load.";
    ORD_03 Load
        why "Compared as text, 10 comes before 9. A run works until its tenth row, and then resumes from the \
             wrong row."
        cause "Keys are decimal text, which fails from 10 on, or little-endian, which fails from 256 on."
        fix "Compare numbers: an integer column, or big-endian bytes of fixed width.";
    ORD_04 AnySequence
        why "The engine decides which sequence a row has. Renumbering moves the fence to a place where \
             nobody looks."
        cause "The sequence is an index into a vector, or an auto-increment column."
        fix "Store the sequence that the row came with.";
    ORD_05 AnySequence
        why "Programs other than this engine may start elsewhere, and a log may have been cut at its \
             beginning."
        cause "The store expects row 0 to exist, or takes `len()` for the next sequence."
        fix "Accept every free sequence, also for the first row.";
    ORD_06 AnySequence
        why "Above `i64::MAX` a signed column turns negative: the row sorts first, or is rejected."
        cause "The sequence is cast with `as i64` alone, which loses the order."
        fix "Flip the top bit when mapping `u64` to the signed type, or store eight big-endian bytes.";
    ORD_07 AnySequence
        why "A sequence that passes through JSON or a double is rounded from 2^53 on: two rows become one."
        cause "The client library turns large numbers into doubles."
        fix "Encode the sequence as an integer or as text, and check what the client library does with large \
             numbers.";
    ORD_08 AnySequence
        why "A 32-bit column or key ends at `u32::MAX`, and later sequences wrap around to old rows."
        cause "One place on the way has a narrow type: the schema, a struct or a key."
        fix "Use BIGINT and `u64` in the schema, in every struct on the way and in every key.";
    ORD_09 Load
        why "A load that stops after one page looks like a shorter run, and the engine appends over the \
             rest."
        cause "The client or the server has a default LIMIT; 1,000 is common."
        fix "Follow the cursor to its end, within one snapshot.";
    ORD_10 Load
        why "Servers also end a page by bytes: there are few rows, and the page is still full. What follows \
             is missing from the load."
        cause "A page, or a message, ends at 1 MiB or 4 MiB."
        fix "Follow the continuation token whatever the number of rows; raise the message limit, or fetch \
             blobs separately.";
    ORD_11 Load
        why "Many runs share a store, and each must load as if it were alone."
        cause "A cursor, a buffer or a \"last row\" belongs to the store and not to the run."
        fix "Key all state that an operation keeps by the id.";
    ORD_12 Claim
        why "After a restart, the order must come from what is stored."
        cause "Loads follow the order in which an index was filled."
        fix "Sort when reading rows back, or rebuild an ordered index when opening the store.";
}
