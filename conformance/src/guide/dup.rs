//! The guide to the laws of duplicates.

use super::guide;

guide! {
    about "The refusal of a taken sequence is the fence of the whole engine: when two lives of one run are \
           awake, the slower one is stopped by it and by nothing else. Atomic means that looking and \
           writing are one step."
    sql "a plain INSERT into a table with the primary key (id, sequence), and the violation of the key \
         mapped to `Error::conflict`; no UPSERT, no REPLACE, no ON CONFLICT DO NOTHING"
    kv "put-if-absent, or a transaction that reads the key it writes; never get, then put"
    files "create with `create_new` (O_EXCL), link() of a finished temporary file, or one lock around look \
           and write; rename() replaces silently"

    DUP_01 Fence
        "With an upsert the second life overwrites the first one's row, and both believe they own the run: \
         a task is done twice."
        "INSERT rather than UPSERT; `entry` with `Vacant` rather than `insert`. Answer `Error::conflict`.";
    DUP_02 Fence
        (reading "a row \"duplicates\" another by its id and sequence, whatever its fields")
        "Two lives that do the same work write identical rows. If the second is told Ok, both go on."
        "`ON CONFLICT DO NOTHING` has to look at the number of rows it changed; do not compare contents to \
         be \"idempotent\". A retry finds its own row by loading.";
    DUP_03 Fence
        "The refused life reads the log to see who won. What it finds has to be the winner's row, byte for \
         byte."
        "Write nothing before the check has passed: no truncated file, no blob replaced in a second table.";
    DUP_04 Fence
        "A refusal is everyday business, as often as lives overlap. A store that does not recover from one \
         is down after the first takeover."
        "Roll the transaction back and give the connection back on the error path too; a panic under a \
         mutex poisons it.";
    DUP_05 Fence
        "A late life writes far behind the end of the log. A check of the last row alone lets it through."
        "Look up the key (id, sequence) itself; do not compare with the maximum.";
    DUP_06 Fence
        "Every run counts from 0. One counter or one unique column for all of them lets only the first run \
         write."
        "The unique key is the pair (id, sequence).";
    DUP_07 Fence
        "Two lives race for exactly one row when one takes over from the other. With check, then insert, \
         both find the place free."
        "Look and write under one lock, in one serializable transaction, or let a unique index decide. \
         Under READ COMMITTED a SELECT before the INSERT is worth nothing.";
    DUP_08 Fence
        "Where the loser is refused but its row is what stays, the run goes on by the plan of a life that \
         has stopped."
        "Refuse before writing; with last-writer-wins storage use a conditional put.";
    DUP_09 Claim
        "Right after a restart is when old and new lives overlap. A set of known sequences that begins \
         empty has no fence then."
        "Ask the stored rows, or fill the index from them before the store answers its first append.";
    DUP_10 Clear
        "A run that was cleared may be started again under its id, from row 0."
        "A clear removes what the check looks at as well: tombstones, the index in memory, a cached \
         maximum.";
    DUP_11 Fence
        "`sequence + 1` overflows at the end of the range, and a range up to it ends empty."
        "Inclusive bounds (`..=u64::MAX`), and a lookup of the key rather than arithmetic.";
    DUP_12 Fence
        "A refused append that keeps a connection, a lock or a file open stops the store after as many \
         refusals as there are of them."
        "Tie what is taken to a guard that gives it back on every path.";
}
