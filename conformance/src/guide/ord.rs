//! The guide to the laws of order.

use super::guide;

guide! {
    about "A load is a replay: the engine reads the rows from the first to the last and does not sort them. \
           Sequences are `u64`, all of them."
    sql "`ORDER BY sequence` in every load, and a numeric column; where the widest type is a signed 64-bit \
         integer, store `sequence as i64 ^ i64::MIN` (or a fixed 8-byte big-endian blob), which keeps the \
         order"
    kv "the sequence as 8 bytes, big-endian, at the end of the key; a range scan is then the load"
    files "sort by the decoded number after reading a directory or a log; names are padded to 20 digits, or \
           parsed before they are compared"

    ORD_01 Load
        "Replaying rows in another order than they were written ends in a state the run never was in."
        "Nothing else may decide the order of a load than the sequence.";
    ORD_02 Load
        "Two lives and delayed requests make rows arrive out of order. The order of a load is the order of \
         the sequences, not of arrival."
        "A missing `ORDER BY`, or an append-only file read front to back: sort by the sequence on load.";
    ORD_03 Load
        "Compared as text, 10 comes before 9. A run is fine until its tenth row, and then resumes from the \
         wrong one."
        "Compare numbers: an integer column, or big-endian bytes of a fixed width. Little-endian keys fail \
         from 256 on, decimal text from 10 on.";
    ORD_04 AnySequence
        "The engine says which sequence a row has. A store that renumbers moves the fence to where nobody \
         looks."
        "Keep the sequence in the row. An index of a vector or an auto-increment column is not it.";
    ORD_05 AnySequence
        "Other programs than this engine may begin elsewhere, and a log may have been cut at its beginning."
        "Do not expect row 0 to exist; `len()` is not the next sequence.";
    ORD_06 AnySequence
        "Above `i64::MAX` a signed column turns negative: the row sorts first, or is refused."
        "Map `u64` to the signed type by flipping the top bit, or store eight big-endian bytes. A cast with \
         `as i64` alone loses the order.";
    ORD_07 AnySequence
        "A sequence that passes through JSON or a double is rounded from 2^53 on: two rows become one."
        "Encode it as an integer or as text, and check what the client library does with large numbers.";
    ORD_08 AnySequence
        "A 32-bit column or key is full at `u32::MAX`, and what follows wraps round to old rows."
        "BIGINT and `u64`, in the schema, in every struct on the way and in every key.";
    ORD_09 Load
        "A load that stops after a page looks like a shorter run, and the engine appends over the rest."
        "Follow the cursor until there is no more, within one snapshot; look for a default LIMIT of the \
         client or the server (1,000 is common).";
    ORD_10 Load
        "Servers also end a page by bytes (1 MiB and 4 MiB are common). The rows are then few, and the page \
         is full all the same."
        "Follow the continuation token whatever the count; raise the limit of a message, or fetch blobs on \
         their own.";
    ORD_11 Load
        "Many runs share a store. A cursor, a buffer or a \"last row\" that belongs to the store rather than \
         to the run mixes them up."
        "Every state that an operation keeps has to be keyed by the id.";
    ORD_12 Claim
        "After a restart the order has to come from what is stored, not from the order in which an index \
         was filled."
        "Sort when rows are read back, or rebuild an ordered index when the store is opened.";
}
