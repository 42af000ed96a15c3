//! The guide to the laws of servers.

use super::guide;

guide! {
    about "The rows are in a server, and the store is its client. What the server acknowledges must survive the \
           server, as a row in a file survives a power loss."
    sql "PostgreSQL: `synchronous_commit`, `fsync` and `full_page_writes` on; MySQL: `innodb_flush_log_at_trx_commit = 1` and \
         `sync_binlog = 1`"
    kv "Redis: `appendonly yes` with `appendfsync always` (the defaults keep no log); etcd: without `--unsafe-no-fsync`; a replicated store \
        acknowledges by a majority"
    files "a file server exports with `sync`, and the client does not cache writes"

    SRV_01 Append
        why "The engine starts a task as soon as the row before it is acknowledged. If the server forgets the \
             row, the next life repeats the task."
        cause "A setting lets the server acknowledge before it writes: an asynchronous commit, a buffer that is \
               written each second, no log at all."
        fix "Set the server to commit before it answers, for the connections of this store at least, and let \
             `open` refuse a server with another setting.";
}
