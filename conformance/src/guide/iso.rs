//! The guide to the laws about ids.

use super::guide;

guide! {
    about "An id is opaque text that callers choose: order numbers, mail addresses, URLs. Two ids that \
           differ in a byte are two runs. Where a store can't keep an id it refuses it with an error, before \
           it has written anything; mapping it to another id is never right."
    sql "bind ids as parameters and compare with `=`, in a column of binary collation (BLOB, `COLLATE \
         \"C\"`, `COLLATE BINARY`, utf8mb4_bin) without a length, or with one that is checked"
    kv "put the length of the id before its bytes in the key; then no id is a prefix of another's key"
    files "never use an id as a name: hex, percent-encode every byte but a-z 0-9, or hash with SHA-256 and \
           keep the id inside of the file; beyond 255 bytes a name does not fit"

    ISO_01 Clear
        "`order-1` is a prefix of `order-10`. A scan by prefix loads or clears the other customer's order \
         too."
        "End the key of an id unmistakably: a length before it, or a terminator that is escaped within it. \
         A range scan needs an upper bound as well.";
    ISO_02 Row
        "Glued together, id `a` at 12 and id `a1` at 2 are one key: one run's row appears in another."
        "Fixed-width sequence at the end and a length in front, or separate columns. A separator works only \
         where it is escaped in ids.";
    ISO_03 Row
        "Ids that differ in case are common (base64, tokens). A collation that folds case merges them."
        "A binary collation on the id's column; on file systems that ignore case encode the name.";
    ISO_04 Row
        "PAD SPACE collations and `trim()` make `a` and `a ` the same run."
        "Do not trim. In MySQL and SQL Server take a binary type or a NO PAD collation.";
    ISO_05 Row
        "With LIKE an id that holds `%` or `_` loads and clears other runs."
        "`=` in place of LIKE. Where a pattern is needed escape `%`, `_` and the escape itself.";
    ISO_06 Row
        "`KEYS a*`, SCAN MATCH and glob() take the characters `*?[` of an id as patterns."
        "Look keys up by name, or keep a set of them for each run. Escape what goes into a pattern.";
    ISO_07 Row
        "An id reaches the store from outside. Put into a statement as text, it is a statement."
        "Bound parameters, everywhere, also for the id of `clear`. The same goes for shells, paths, JSON \
         and formats.";
    ISO_08 Row
        "As a part of a path `../x` leaves the directory: it reads and deletes what belongs to others."
        "Encode or hash the id. Cleaning a path (removing `..`) merges ids and is not enough.";
    ISO_09 Row
        "C strings end at a NUL: `a` and `a\\0b` become one run."
        "Pass lengths, or refuse such an id with an error (PostgreSQL's TEXT does, BYTEA takes it). A \
         silent cut is the one wrong answer.";
    ISO_10 Row
        "File systems and databases that normalise unicode merge texts that look alike; what is stored \
         under one is found under the other."
        "Compare bytes. Encode names of files; choose a collation that is binary.";
    ISO_11 Row
        "The empty text is false in many languages and NULL in Oracle. It must not mean \"all runs\" to \
         `clear`."
        "Treat it as any id, or refuse it in all three operations.";
    ISO_12 Row
        "A column or a name that is too short cuts the id silently, in some SQL modes without a word."
        "Refuse ids that do not fit before writing; for names hash long ids (SHA-256).";
    ISO_13 Row
        "Generated ids share long prefixes. Cut at 64 or 255 bytes they are one run."
        "As ISO-12; an index on a prefix of a column is no unique key, and a short hash is none either.";
    ISO_14 Row
        "An id that looks like a number is text all the same: `01` is not `1`."
        "No parsing, no column affinity to numbers (SQLite: declare TEXT or BLOB), no YAML.";
    ISO_15 Row
        "If runs and the backend's own records share a namespace, a run named `meta` overwrites the \
         store."
        "Prefix the keys of runs, or use another table. `Options::reserved_names` tells the kit which names \
         to try.";
    ISO_16 Row
        "Short hashes and small modulos collide at a few thousand ids."
        "128 bits of a hash at least, and the id itself stored and compared; buckets hold several runs.";
}
