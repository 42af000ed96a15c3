//! The guide to the laws about ids.

use super::guide;

guide! {
    about "An id is opaque text that callers choose: order numbers, mail addresses, URLs. Two ids that \
           differ in a byte are two runs. A store that can't keep an id rejects it with an error before it \
           writes anything; it never maps it to another id."
    sql "bind ids as parameters and compare with `=`, in a binary column (BLOB, BYTEA) or a column of binary \
         collation (`COLLATE BINARY`, utf8mb4_bin) without a length, or with a length that is checked"
    kv "put the length of the id before its bytes in the key; then no id is a prefix of another's key"
    files "never use an id as a name: use hex, percent-encode every byte but a-z 0-9, or hash with SHA-256 \
           and keep the id inside the file; a name holds at most 255 bytes"

    ISO_01 Clear
        why "`order-1` is a prefix of `order-10`. A scan by prefix loads or clears the other customer's \
             order too."
        cause "A key does not mark where the id ends, or a range scan has no upper bound."
        fix "Put the length of the id before it, or a terminator that is escaped within it. Give range scans \
             an upper bound.";
    ISO_02 Row
        why "Joined as text, id `a` at 12 and id `a1` at 2 are one key: the row of one run appears in \
             another."
        cause "Id and sequence are joined with a separator that ids may contain, or with none."
        fix "Put a length in front and a fixed-width sequence at the end, or use separate columns. A \
             separator works only if it is escaped in ids.";
    ISO_03 Row
        why "Ids that differ only in case are common (base64, tokens), and name different runs."
        cause "A collation or a file system folds case."
        fix "Use a binary collation for the id's column; on file systems that ignore case, encode the name.";
    ISO_04 Row
        why "`a` and `a ` are different runs."
        cause "The column has a PAD SPACE collation, or the store calls `trim()`."
        fix "Do not trim. In MySQL and SQL Server use a binary type or a NO PAD collation.";
    ISO_05 Row
        why "With LIKE, an id that contains `%` or `_` loads and clears other runs."
        cause "A query compares ids with LIKE."
        fix "Use `=`. If you need a pattern, escape `%`, `_` and the escape character.";
    ISO_06 Row
        why "An id may contain `*`, `?` or `[`, and must not match other runs."
        cause "The store looks runs up with `KEYS a*`, SCAN MATCH or glob()."
        fix "Look keys up by name, or keep a set of them for each run. Escape what goes into a pattern.";
    ISO_07 Row
        why "Ids come from outside. Put into a statement as text, an id becomes a statement."
        cause "A statement is built by formatting text."
        fix "Bind parameters everywhere, also for the id of `clear`. The same holds for shells, paths, JSON \
             and format strings.";
    ISO_08 Row
        why "As part of a path, `../x` leaves the directory: the store reads and deletes what belongs to \
             others."
        cause "A path is built from the id. Removing `..` merges ids and is not enough."
        fix "Encode or hash the id before using it as a name.";
    ISO_09 Row
        why "`a` and `a\\0b` are two ids. Silently cutting at the NUL makes them one run."
        cause "The id passes through a C string, which ends at a NUL."
        fix "Pass lengths, or reject such an id with an error (PostgreSQL's TEXT does, BYTEA accepts it).";
    ISO_10 Row
        why "Texts that look alike are different ids. If they are merged, what is stored under one is found \
             under the other."
        cause "The file system or the database normalizes Unicode."
        fix "Compare bytes: encode file names, and choose a binary collation.";
    ISO_11 Row
        why "The empty id must not mean \"all runs\" to `clear`."
        cause "The empty text counts as \"no value\": it is false in many languages and NULL in Oracle."
        fix "Treat it like any id, or reject it in all three operations.";
    ISO_12 Row
        why "Two long ids that are cut to the same text become one run."
        cause "A column or a file name is too short. Some SQL modes cut silently."
        fix "Reject ids that do not fit before writing, and in loads and clears too; for names, hash long ids \
             (SHA-256). An entry of PostgreSQL's index has at most 2,704 bytes.";
    ISO_13 Row
        why "Generated ids share long prefixes. Cut at 64 or 255 bytes, they are one run."
        cause "The unique index covers a prefix of the column, or names are short hashes."
        fix "Make the whole id unique, or hash it to at least 128 bits.";
    ISO_14 Row
        why "An id that looks like a number is still text: `01` is not `1`."
        cause "Ids are parsed, stored in a column with numeric affinity, or written as YAML."
        fix "Keep ids as text; in SQLite declare the column TEXT or BLOB.";
    ISO_15 Row
        why "A run named `meta` must not overwrite the store's own records."
        cause "Runs and the backend's records share a namespace."
        fix "Prefix the keys of runs, or use another table. `Options::reserved_names` tells the kit which \
             names to try.";
    ISO_16 Row
        why "Thousands of runs share a store, and each keeps its own rows."
        cause "Short hashes and small moduli collide at a few thousand ids."
        fix "Hash to at least 128 bits, store the id itself and compare it; let a bucket hold several runs.";
    ISO_17 Row
        why "Ids come from outside. A pair whose hash is the same makes one run of two orders, and some pairs \
             are in every list of words."
        cause "A long id is replaced by its CRC or FNV hash, without a look at the id."
        fix "Keep the whole id in the key, or compare it behind the hash; a hash alone needs 128 bits and a \
             cryptographic function.";
}
