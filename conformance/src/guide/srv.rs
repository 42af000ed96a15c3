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
    SRV_02 Append
        why "Nodes fail more often than data centers. The engine starts a task as soon as the row before it is \
             acknowledged; if the new leader does not have the row, the task is done twice."
        cause "The leader acknowledges before a majority has the row, a node that was behind becomes the leader, or \
               the old leader comes back with rows that nobody else has. Or the client tells `Unavailable`, which \
               means that nothing was written, for an append whose answer was lost."
        fix "Wait for a majority before Ok (etcd and Raft do; PostgreSQL with `synchronous_standby_names`; Redis \
             only with `WAIT`, and not even then in every failover). Answer `Error::unknown_outcome` where the \
             request may have arrived.";
    SRV_03 ShownStays
        why "A life that resumes during a failover decides by the rows that it loads. An old state makes it repeat \
             what a life before has done."
        cause "Loads go to a replica that lags, or a new leader answers before it has applied its own log."
        fix "Load from the leader, with a read that is linearizable (a read index or a lease; a quorum read), and \
             let a new leader answer once it has applied what it has.";
    SRV_04 Engine
        why "Runs wait while their store does. A backend that needs a person after each failover stops every \
             workflow for as long."
        cause "The client keeps its connections to the node that is gone, knows only one address, or no node may \
               become the leader."
        fix "Give the client every address, drop connections that answer errors, and look for the leader again. If \
             an election takes longer, state it in `Options::failover_max`.";
}
