//! The guide to the laws of appending and loading.

use super::guide;

guide! {
    about "The least that a log has to do. A store that breaks one of these laws breaks most others as \
           well: mend these first."
    sql "one table with the primary key (id, sequence) and one statement for each operation; commit before \
         answering Ok, and answer an empty vector where a query has no row"
    kv "one key for each row, of the length-prefixed id and the big-endian sequence; read back through the \
        same view that was written"
    files "one record for each row; a load of an id without a file is an empty run, and makes none"

    BAS_01 UnknownId
        "The engine loads an id to find out whether the run exists. An error there means to it that the \
         store is broken, and no run can ever be started."
        "Map \"not found\" (no row, no key, ENOENT) to an empty vector, and nothing else to it: a table \
         that is missing or a file that can't be read stays an error.";
    BAS_02 Row
        "A run is resumed from its rows alone: a field that comes back different sends the workflow to \
         another state, or undoes a task with another task's output."
        "Compare what is encoded with what is decoded, field by field; a field that is computed from \
         others, or kept in a narrower type, is the usual suspect.";
    BAS_03 Append
        "The engine performs a task only after the row before it was acknowledged. A row that shows up \
         later lets a takeover do the same work a second time."
        "Answer Ok after the commit and not after handing the row to a queue; read from where writes go, \
         not from a replica.";
    BAS_04 Shared
        "Each workflow holds an `Arc` or a clone of the store. Clones with state of their own are as many \
         stores, and two lives on two of them never see each other."
        "Keep all state behind one `Arc` inside the store, so that `derive(Clone)` clones the pointer.";
    BAS_05 UnknownId
        "Looking at a run must not make one: listing would find runs that nobody started, and a load would \
         compete with appends for locks."
        "Use `get`, never `entry(..).or_default()` or \"insert if missing\", on the path of a load.";
    BAS_06 Load
        "The engine takes the rows apart. If they were shared with the store, that would change the log."
        "Answer clones. A cache that hands out its own buffer has to copy first.";
    BAS_07 Shared
        "The engine keeps the store as a trait object and polls its futures on whatever thread is free."
        "Replace `Rc`, `RefCell` and guards that are held across an await; a connection that is not `Sync` \
         goes behind a mutex, a pool or a thread of its own.";
    BAS_08 Harness
        "If two laws share a place, one's rows are the other's failures. This is a fault of the harness and \
         is reported as such."
        "Open at `place.path()`, or under `place.name()` as table, schema or prefix; never at a fixed path \
         or in a static. What is outside of the directory goes in `destroy`.";
}
