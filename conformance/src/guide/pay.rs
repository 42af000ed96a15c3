//! The guide to the laws of payload.

use super::guide;

guide! {
    about "States, task ids and blobs belong to the engine. A store keeps them and interprets none of them."
    sql "BLOB or BYTEA for the blob, nullable; text types without a length limit, on PostgreSQL BYTEA for ids, \
         states and tasks as well, since its TEXT refuses NUL; check the server's largest packet"
    kv "an encoding with lengths and a tag for \"no blob\"; split values above the store's limit into chunks \
        within one transaction"
    files "length-prefixed fields, not lines; a checksum over the record; check a length before allocating \
           memory for it"

    PAY_01 Row
        why "No blob and an empty blob differ: a task without output, and a task whose output is empty. \
             Mixed up, the undo is skipped or gets the wrong input."
        cause "The column or the format has no mark for \"no blob\"."
        fix "Use a nullable column that tells NULL from empty (Oracle can't: add a flag), or a tag byte in \
             your own format.";
    PAY_02 Row
        why "A blob is any bytes. Through a String, invalid bytes come back as U+FFFD, and the output can't \
             be read any more."
        cause "The blob passes through `from_utf8_lossy`, a text column or a JSON string."
        fix "Use a binary type all the way, and base64 where only text passes.";
    PAY_03 Row
        why "The kind tells the engine how to read the row. Kind and blob are independent: there are cursors \
             without a blob."
        cause "The kind is derived from the presence of a blob."
        fix "Store the kind in a field of its own.";
    PAY_04 Row
        why "Names of states are Rust text: empty, long, with line breaks or with NUL."
        cause "A file format splits at separators or lines, or a column is VARCHAR(255)."
        fix "Use lengths in a file, and in a table TEXT, or BYTEA on PostgreSQL, whose TEXT refuses NUL; escape \
             what a line-based format splits at.";
    PAY_05 Row
        why "An output may have any size, also one at the edge of a buffer."
        cause "Buffers and columns end at 4 KiB or 64 KiB; MySQL's BLOB and 16-bit length fields end at \
               65,535 bytes."
        fix "Use LONGBLOB, 32-bit or varint lengths, and `read_exact` instead of a single `read`.";
    PAY_06 Row
        why "A megabyte of output is ordinary: a document, a batch of ids."
        cause "A packet, a message or a value has a smaller limit."
        fix "Raise the limit, or split the value; reject with an error what can't be kept.";
    PAY_07 Claim
        why "A row beyond the limit must be an error while the task can still fail. Dropped silently, it is \
             missing on resume."
        cause "The length is not checked before writing."
        fix "Compare the length with the limit before writing, and return an error; declare the limit in \
             `Options::blob_bytes_max`.";
    PAY_08 Row
        why "Tasks that do the same work write the same bytes. Each row is an event of its own, and goes with \
             its own run."
        cause "Rows or blobs are deduplicated by content, and a clear removes what others refer to."
        fix "Store each row by its id and sequence; if blobs are shared, count their references in the same \
             transaction.";
}
