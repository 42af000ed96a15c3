//! The guide to the laws of cost.

use super::guide;

guide! {
    about "What a store costs is its author's business; that the cost does not grow with what lies beside \
           is everybody's, since logs do grow. These laws advise and never fail a store. They measure two \
           things in turn within one run, as medians of many, and object only where the best of four tries \
           is beyond a generous multiple. So they can't see a store that is slow at everything, a factor of \
           two or three, a cost that rises with the logarithm, what shows beyond 10,000 rows or after days \
           (compaction, vacuum), nor what another machine, disk or network would say. The benchmarks of the \
           feature `bench` show what an operation takes"
    sql "the primary key (id, sequence) as an index that both the insert and the load use (look at the \
         query plan); no COUNT, MAX or SELECT of the whole run in an append"
    kv "one value for each row under a key that begins with the id, and a load by a range of keys; never a \
        run as one value, never a scan of everything with a filter"
    files "append to a log rather than write the run anew; keep an index of where a run's rows stand; share \
           one sync between the appends that wait for it"

    PRF_01 Advice
        (reading "a tail of up to a hundred times the median is taken for the disk's own")
        "A task that waits a hundred times as long as usual looks like one that hangs: timeouts expire, and \
         another life takes over a run that was not lost."
        "Do what tidies up (compaction, checkpoints, growing a file) in small steps or beside the appends, \
         not under their lock.";
    PRF_02 Advice
        (reading "row 10,000 may cost eight times what row 10 costs, for deeper trees")
        "Where an append costs as much as the run is long, a run of ten thousand rows costs fifty million \
         of them, and the longest workflows are those that matter."
        "Write the row and not the run; check the one key rather than read what is there; keep no list \
         that is copied or sorted with each append.";
    PRF_03 Advice
        (reading "beside 10,000 other ids a load may cost eight times what it costs beside one")
        "After a restart all runs are loaded. Where each load looks at all ids, that is the square of their \
         number, on the day when it matters most."
        "An index, a range of keys or a file for each id; `WHERE workflow_id = ?` without a function \
         around the column.";
    PRF_04 Advice
        (reading "eight ids have eight times as much to do, and may take thirty-two times as long: it is \
                  not asked that they are faster together, only that they do not stand in each other's way")
        "A process that runs hundreds of workflows has them write at once. Callers who make each other \
         retry get less done the more they are."
        "Queue callers rather than let them collide and back off; group their rows into one commit or one \
         sync; lock the run rather than the table.";
    PRF_05 Claim
        (reading "sixteen bytes for one leave room for copies, indices, and what was not cleared away yet")
        "A log that takes many times its content fills the disk early, and a full disk stops every run."
        "Binary rather than text for blobs; no fixed slots that are made for the longest row; compaction \
         of what was overwritten.";
}
