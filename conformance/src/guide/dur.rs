//! The guide to the laws of durability.

use super::guide;

guide! {
    about "What is acknowledged survives what the store claims to survive. A killed process loses what it \
           had in memory, and nothing that it gave to the kernel; a power loss takes what was not synced as \
           well. A kill can never show a missing sync: that is why system calls are watched."
    sql "SQLite: `journal_mode = WAL` or DELETE with `synchronous = FULL` (NORMAL in WAL loses the newest \
         commits with the power); PostgreSQL: `synchronous_commit = on`"
    kv "redb: `Durability::Immediate`; RocksDB and LevelDB: `sync = true` for each write; sled: `flush()` \
        before Ok; Redis: `appendfsync always`"
    files "write, `sync_data`, rename, then sync the directory (`File::open(dir)?.sync_all()`); a record has \
           its length and a checksum, and a torn tail is cut off on opening"

    DUR_01 Claim
        "Resuming after a restart is what a log is for."
        "Open what is there rather than create anew (`truncate(true)`, `CREATE OR REPLACE`, a fresh \
         temporary file are the suspects), and write before answering.";
    DUR_02 Claim
        "Services restart often. What each opening adds (a header, a file, a copy) or loses shows only \
         after some."
        "Opening is idempotent: no schema change, no compaction, no new segment that a second one trips \
         over.";
    DUR_03 Claim
        "The process dies without a word: no destructor, no flush. A row that was acknowledged from a \
         buffer is gone, and its task is done again."
        "Hand the row to the kernel before Ok: flush a BufWriter, await the commit; nothing may be left to \
         `Drop` or to a timer.";
    DUR_04 Claim
        "A kill between two writes leaves half a record. Shown as a row it is wrong; as an error it blocks \
         the run for ever."
        "Write a record in one piece or behind a checksum, and drop a torn record at the end when opening.";
    DUR_05 Claim
        "Half a cleared run is a log that begins in its middle: it can be neither resumed nor started."
        "Make the clear one step on the disk: one transaction, one record in the log, or one rename.";
    DUR_06 Claim
        "After a crash nobody is there to delete a lock file. A service that does not come up again loses \
         every run at once."
        "Use locks that die with the process (`File::try_lock`, flock, a server's session) in place of \
         files that exist; repair when opening.";
    DUR_07 Claim
        "A kill by the clock hits the long windows. The short one between a write and a rename is hit in \
         production."
        "The message names the call before which the child was killed: think through what is on the disk at \
         that moment, and what opening makes of it.";
    DUR_08 Claim
        "Without a sync the row is in the kernel's memory, and the acknowledgement is not true when the \
         power goes."
        "`sync_data` (or the database's synchronous commit) after the last write and before Ok. Several \
         appends may share one sync, if each waits for it.";
    DUR_09 Claim
        "A synced file whose name is not synced is a file that is not there after a power loss."
        "After creating or renaming, open the directory and `sync_all` it, once for each new name; its \
         parent too where the directory is new.";
    DUR_10 Claim
        "A sync that fails has lost data, and the next one answers Ok for nothing: the kernel reports an \
         error once. Ignored, rows are acknowledged that never reach the disk."
        "Hand the error of a sync to every append that waits for it, and never retry the sync as if \
         nothing had happened.";
    DUR_11 Claim
        "A full disk is an ordinary day. It costs the append, not the rows that are there."
        "Answer the error; cut off what was half written (or leave it to opening), and do not go on \
         appending behind it.";
    DUR_13 ShownStays
        "After a failed sync the file's pages may be in memory and not on the disk. A load from there shows \
         rows that vanish with the power."
        "Keep a flag that a sync has failed, and refuse loads and appends until the store is opened again \
         and has read what is really there; a store of several files does so as a whole.";
    DUR_14 Claim
        "The engine's rows build on each other. A later row without an earlier one is a decision without \
         its reason."
        "One log, or commits in the order of acknowledgement; with a file for each shard or thread sync all \
         that was acknowledged before.";
}
