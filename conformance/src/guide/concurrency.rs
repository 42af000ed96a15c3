//! The guide to the laws of concurrency.

use super::guide;

guide! {
    about "Every operation takes effect at one instant between its call and its answer, and the order of \
           these instants explains what everybody saw. A failure shows a short history in which no such \
           order exists: read it from the top, an interval for each operation."
    sql "one statement for each operation, or SERIALIZABLE with a retry of serialization failures; a load is \
         one SELECT, or one REPEATABLE READ snapshot over all pages"
    kv "one write transaction or batch for each operation, one snapshot for each load; no get followed by \
        put"
    files "a mutex or an async lock around look and write, held until the answer is known; a load reads \
           under it, or reads files that are only ever renamed into place"

    CON_01 Concurrent
        "Each law of one operation can hold while two of them together do not: a clear between the check \
         and the insert of an append, a load of two halves."
        "Find in the history the operation that looks at something another one changes half-way, and make \
         both one critical section or one transaction.";
    CON_02 Load
        (reading "a load shows what was there at one instant, so a prefix of what one caller appends in order")
        "A hole in a log says to the engine that the log is damaged. Two pages read at two instants make \
         one."
        "Load from one snapshot; do not assemble a run from several reads without one.";
    CON_03 Append
        "Half a row is another row: a state without its blob, a blob cut off."
        "Write a row in one piece: one value, one transaction over both tables, one rename. Readers stop \
         before a record whose checksum does not hold yet.";
    CON_04 ShownStays
        "A life that has seen a row has built on it. If the next load lacks it, the fence and the plan are \
         both void."
        "Read from the primary; if there is a cache, write it before answering and never let an older read \
         overwrite it.";
    CON_05 Concurrent
        "Reading the whole run, adding a row and writing it back loses what another caller added in \
         between."
        "A row is a record of its own; where a run is one value, compare and swap its version and retry.";
    CON_06 Concurrent
        "Runs have nothing to do with each other, and a shared structure (one document, one map that is \
         replaced) must not lose one's rows to another."
        "As CON-05, one level up: lock or compare the structure that all runs share.";
    CON_07 Concurrent
        "With more callers than connections a store hangs when an operation needs a second one while it \
         holds the first, or blocks the threads on which the first would go on."
        "One connection for each operation, taken once; no `block_on` inside of async code; a std mutex is \
         not held across an await.";
    CON_08 Concurrent
        "Dashboards and recovery load a lot. An append that waits for all of them is a workflow that \
         stands still."
        "A fair lock (tokio's RwLock and Mutex are), or readers on a snapshot that block nobody.";
}
