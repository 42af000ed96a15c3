//! The guide to the laws of payload.

use super::guide;

guide! {
    about "States, task ids and blobs are the engine's. A store keeps them and understands nothing of them."
    sql "BLOB or BYTEA for the blob, nullable; texts in a type without a length limit; check the server's \
         largest packet"
    kv "an encoding with lengths and a tag for \"no blob\"; values above the store's limit go into chunks \
        within the same transaction"
    files "length-prefixed fields, not lines; a checksum over the record, and the length checked before \
           memory is taken for it"

    PAY_01 Row
        "No blob and an empty blob mean different things: a task without output, and one whose output is \
         empty. Mixed up, its undo is not run or gets the wrong input."
        "A nullable column that is NULL or empty (Oracle can't: add a flag); a tag byte in your own format.";
    PAY_02 Row
        "A blob is any bytes. Through a String they come back as U+FFFD, and the output can't be read any \
         more."
        "A binary type all the way; `from_utf8_lossy`, text columns and JSON strings are the suspects. \
         Base64 where only text passes.";
    PAY_03 Row
        "The kind says how the engine reads the row. Kind and blob are independent: there are cursors \
         without one."
        "Store the kind on its own. Deriving it from the blob's presence turns rows into others.";
    PAY_04 Row
        "Names of states are Rust texts: empty, with line breaks, with NUL, long."
        "Lengths rather than separators in a file; TEXT rather than VARCHAR(255); escape what a line-based \
         format splits at.";
    PAY_05 Row
        "Buffers and columns have edges at 4 KiB and 64 KiB. MySQL's BLOB ends at 65,535 bytes, some \
         length fields in 16 bits do too."
        "LONGBLOB, 32-bit or varint lengths, and `read_exact` in place of one `read`.";
    PAY_06 Row
        "A megabyte of output is ordinary: a document, a batch of ids."
        "Raise the largest packet or message, or split the value; refuse with an error what can't be kept.";
    PAY_07 Claim
        "A row beyond the limit has to be an error while the task can still be failed. Dropped silently, \
         it is missing on resume."
        "Compare the length with the limit before writing and answer an error; say the limit in \
         `Options::blob_bytes_max`.";
}
