//! The guide to the laws of durability.

use super::guide;

guide! {
    about "Acknowledged rows survive what the store claims to survive. A killed process loses what it had in \
           memory, but nothing that it gave to the kernel; a power loss also takes what was not synced. A \
           kill never reveals a missing sync, so the kit watches system calls."
    sql "SQLite: `journal_mode = WAL` or DELETE with `synchronous = FULL` (NORMAL in WAL loses the newest \
         commits in a power loss); PostgreSQL: `synchronous_commit = on`"
    kv "redb: `Durability::Immediate`; RocksDB and LevelDB: `sync = true` for each write; sled: `flush()` \
        before Ok; Redis: `appendfsync always`"
    files "write, `sync_data`, rename, then sync the directory (`File::open(dir)?.sync_all()`); give a \
           record its length and a checksum, and cut off a torn tail on opening"

    DUR_01 Claim
        why "A log exists so that runs resume after a restart."
        cause "Opening creates anew (`truncate(true)`, `CREATE OR REPLACE`, a fresh temporary file), or rows \
               are written after the answer."
        fix "Open what is there, and write before answering.";
    DUR_02 Claim
        why "Services restart often. What each opening adds or loses shows only after several of them."
        cause "Each opening adds a header, a file or a copy, or changes the schema."
        fix "Make opening idempotent: no schema change, no compaction, no new segment that a later opening \
             trips over.";
    DUR_03 Claim
        why "The process dies without warning: no destructor, no flush. A row that was acknowledged from a \
             buffer is gone, and its task is done again."
        cause "A BufWriter, a timer or `Drop` flushes after the answer."
        fix "Hand the row to the kernel before Ok: flush the BufWriter, await the commit.";
    DUR_04 Claim
        why "A kill between two writes leaves half a record. Shown as a row it is wrong; as an error it \
             blocks the run for ever."
        cause "A record is written in pieces and has no checksum."
        fix "Write a record in one piece or with a checksum, and drop a torn record at the end when opening.";
    DUR_05 Claim
        why "Half a cleared run is a log that begins in its middle: it can be neither resumed nor started."
        cause "A clear deletes row by row, or file by file."
        fix "Make the clear one step on the disk: one transaction, one record in the log or one rename.";
    DUR_06 Claim
        why "After a crash nobody is there to delete a lock file. A service that does not start again loses \
             every run at once."
        cause "The lock is a file that exists, and the killed process has left it."
        fix "Use locks that end with the process (`File::try_lock`, flock, a server's session), and repair \
             when opening.";
    DUR_07 Claim
        why "A kill at a random time hits the long windows. The short window between a write and a rename is \
             hit in production."
        cause "Between two system calls, the files are in a state that opening does not understand, or the listing \
               has a file of its own that lags behind the rows."
        fix "The message names the call before which the child was killed. Consider what is on the disk at \
             that moment, and what opening makes of it.";
    DUR_08 Claim
        why "Without a sync the row is only in the kernel's memory, and a power loss breaks the \
             acknowledgement."
        cause "The sync is missing, or comes before the last write."
        fix "Call `sync_data`, or commit synchronously, after the last write and before Ok. Several appends \
             may share one sync if each waits for it.";
    DUR_09 Claim
        why "A synced file whose name is not synced is missing after a power loss."
        cause "The file is synced, but not its directory."
        fix "After creating or renaming, open the directory and `sync_all` it, once for each new name; its \
             parent too if the directory is new.";
    DUR_10 Claim
        why "A failed sync has lost data. The kernel reports the error once, and the next sync returns Ok: \
             rows are acknowledged that never reach the disk."
        cause "The error of a sync is ignored or taken for a conflict, or the sync is retried."
        fix "Return the error to every append that waits for the sync, and never retry the sync as if \
             nothing had happened.";
    DUR_11 Claim
        why "Disks fill up. This may cost the append, but not the rows that are there."
        cause "The store appends behind a record that was half written, or calls `write`, which may write a part, \
               for `write_all`."
        fix "Return the error, and cut off what was half written, or leave that to opening.";
    DUR_12 Claim
        why "Disks and memory flip bits. If a row is skipped, the engine repeats its task; if it is \
             believed, the workflow continues with a value that nobody computed; a panic stops all runs \
             because of one."
        cause "Rows have no checksum, or damage is taken for the torn end that a kill leaves."
        fix "Store a checksum over the whole row (CRC-32C or longer, id and sequence included), check it \
             with each load, and return an error that names the row. Drop only what a kill can leave: a \
             truncated end.";
    DUR_13 ShownStays
        why "After a failed sync, pages of the file may be in memory and not on the disk. A load from there \
             shows rows that vanish in a power loss."
        cause "The store goes on serving loads and appends after a failed sync."
        fix "Set a flag when a sync fails. Reject loads and appends until the store is opened again and has \
             read what is on the disk; a store of several files does so as a whole. Only if the file was a \
             draft, removed before the answer, may the store go on.";
    DUR_14 Claim
        why "The engine's rows build on each other. A later row without an earlier one is a decision without \
             its reason."
        cause "Each run, shard or thread has a buffer or a file of its own."
        fix "Use one log, or commit in the order of acknowledgement; with a file for each shard or thread, \
             sync all that was acknowledged before.";
    DUR_15 Claim
        why "A power loss takes all that was not synced: data, names, removals and whole directories. What is \
             left must open, and be what was acknowledged."
        cause "One of several files is not synced, a clear is not, a file is renamed before its data is synced, \
               or a new directory is not synced into its parent."
        fix "Sync each file that a load needs, then each directory whose entries changed, up to the first that \
             was there before; do this for a clear too. A file that opening can rebuild needs no sync.";
    DUR_16 Claim
        why "Runs are resumed by another process than the one that began them."
        cause "Rows are in a static or a cache of the process, which a second opening in it finds."
        fix "Keep rows where another process finds them, or drop the claim.";
    DUR_17 ShownStays
        why "A life that resumes decides by the rows that it loads. If a power loss takes one of them, the task \
             behind it is done without a trace."
        cause "An append puts its row where loads find it, and syncs afterwards: a table in memory is updated \
               before the log is synced, or the lock is released before the sync."
        fix "Make the row visible after the sync that makes it durable, or let loads of its run wait for that \
             sync.";
    DUR_18 Claim
        why "A log grows for months before it is rotated or compacted for the first time. A crash in that moment \
             must not cost the rows of all runs."
        cause "The old log is removed before the new log is complete and has its name, or opening takes a draft \
               for a log."
        fix "Write the new log under a draft name, sync it, rename it, and only then remove the old one. Let \
             opening remove drafts, and let it find the same rows whichever of the two logs it finds.";
    DUR_19 Claim
        why "Removing a log is durable long before a new log is, unless the new one was synced. A power loss then \
             leaves neither."
        cause "The new log is renamed before its data is synced, or its directory is not synced before the old log \
               is removed or the next row is acknowledged."
        fix "Sync the new log, rename it, sync the directory, then remove the old log. Sync the directory as well \
             when a new segment begins, before a row in it is acknowledged.";
    DUR_20 Append
        why "Maintenance runs beside the workflows of a service. A row that comes while a log is compacted is a \
             row like any other."
        cause "Compaction copies what was there when it began, and replaces what has come since."
        fix "Begin a new segment first, compact only what is older, and leave newer segments alone. Or hold the lock \
             of the writers until the compacted log is in place.";
}
