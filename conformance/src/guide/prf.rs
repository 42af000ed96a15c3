//! The guide to the laws of cost.

use super::guide;

guide! {
    about "What a store costs is its author's business. That the cost does not grow with the data around it \
           is everybody's, since logs grow. These laws advise and never fail a store. They measure two \
           things in turn within one run, as medians of many, and object only if the best of four tries \
           exceeds a generous multiple. So they can't see a store that is slow at everything, a factor of \
           two or three, a cost that grows with the logarithm, what shows beyond 10,000 rows or after days \
           (compaction, vacuum), or what another machine, disk or network would say. The benchmarks of the \
           feature `bench` show what an operation takes."
    sql "the primary key (id, sequence) as an index that insert and load both use (look at the query plan); \
         no COUNT, MAX or SELECT of the whole run in an append"
    kv "one value for each row under a key that begins with the id, and a load by a range of keys; never a \
        run as one value, never a filtered scan of everything"
    files "append to a log instead of rewriting the run; keep an index of where a run's rows are; share one \
           sync between the appends that wait for it"

    PRF_01 Advice
        (reading "a tail of up to a hundred times the median counts as the disk's own")
        why "A task that waits a hundred times as long as usual looks hung: timeouts expire, and another \
             life takes over a run that was not lost."
        cause "Compaction, a checkpoint or growing a file holds the lock of the appends."
        fix "Tidy up in small steps or beside the appends, not under their lock.";
    PRF_02 Advice
        (reading "row 10,000 may cost eight times what row 10 costs, for deeper trees")
        why "If an append costs as much as the run is long, a run of ten thousand rows costs fifty million, \
             and the longest workflows matter most."
        cause "An append rewrites or reads the whole run, or copies or sorts a list of its rows."
        fix "Write the row and not the run, and check the one key.";
    PRF_03 Advice
        (reading "beside 10,000 other ids a load may cost eight times what it costs beside one")
        why "After a restart all runs are loaded. If each load looks at all ids, that is the square of their \
             number, on the day when it matters most."
        cause "A load scans all ids, or `WHERE` applies a function to the column."
        fix "Use an index, a range of keys or a file for each id, and `WHERE workflow_id = ?` on the bare \
             column.";
    PRF_04 Advice
        (reading "eight ids have eight times as much to do, and may take thirty-two times as long: they need \
                  not be faster together, but must not hinder each other")
        why "A process that runs hundreds of workflows writes them at once. If callers make each other \
             retry, more callers get less done."
        cause "Callers collide and back off, or lock the whole table."
        fix "Queue callers, group their rows into one commit or one sync, and lock the run instead of the \
             table.";
    PRF_05 Claim
        (reading "sixteen bytes for one leave room for copies, indices, and what is not yet cleared away")
        why "A log that takes many times its content fills the disk early, and a full disk stops every run."
        cause "Blobs are stored as text, slots have the size of the longest row, or overwritten data is \
               never compacted."
        fix "Store blobs as binary, size slots by the row, and compact what was overwritten.";
}
