//! The guide to the laws of appending and loading.

use super::guide;

guide! {
    about "The minimum that a log must do. A store that breaks one of these laws breaks most others too: fix \
           these first."
    sql "one table with the primary key (id, sequence) and one statement for each operation; commit before \
         returning Ok, and return an empty vector if a query finds no row"
    kv "one key for each row: the length-prefixed id, then the big-endian sequence; read through the same \
        view that writes go to"
    files "one record for each row; loading an id without a file returns an empty run and creates no file"

    BAS_01 UnknownId
        why "The engine loads an id to learn whether the run exists. It takes an error for a broken store, \
             so no run could ever start."
        cause "Load returns \"not found\" as an error."
        fix "Map \"not found\" (no row, no key, ENOENT) to an empty vector, and nothing else: a missing \
             table or an unreadable file stays an error.";
    BAS_02 Row
        why "The engine resumes a run from its rows alone. A changed field sends the workflow to another \
             state, or undoes a task with another task's output."
        cause "A field is computed from others, or stored in a narrower type."
        fix "Compare what you encode with what you decode, field by field.";
    BAS_03 Append
        why "The engine starts a task only after the row before it is acknowledged. If the row becomes \
             visible later, a life that takes over repeats the work."
        cause "Append answers after handing the row to a queue, or loads read from a replica."
        fix "Return Ok after the commit, and read from where writes go.";
    BAS_04 Shared
        why "Each workflow holds an `Arc` or a clone of the store. If clones have separate state, two lives \
             on two clones never see each other."
        cause "Cloning the store copies its rows, a cache or an index."
        fix "Keep all state behind one `Arc`, so that `derive(Clone)` copies the pointer.";
    BAS_05 UnknownId
        why "Looking at a run must not create it: listings would show runs that nobody started, and loads \
             would compete with appends for locks."
        cause "Load uses `entry(..).or_default()` or \"insert if missing\", or keeps a cursor open."
        fix "Use `get` in load, and release whatever a load has taken.";
    BAS_06 Load
        why "The engine takes the loaded rows apart. If it shared them with the store, that would change the \
             log."
        cause "A cache hands out its own buffer."
        fix "Return clones; a cache copies its rows before it returns them.";
    BAS_07 Shared
        why "The engine keeps the store as a trait object and polls its futures on any free thread."
        cause "`Rc`, `RefCell` or a lock guard is held across an await."
        fix "Replace them. Put a connection that is not `Sync` behind a mutex, a pool or a thread of its \
             own.";
    BAS_08 Harness
        why "If two laws share a place, the rows of one are the failures of the other. This is a fault of \
             the harness and is reported as such."
        cause "`open` uses a fixed path or a static."
        fix "Open at `place.path()`, or use `place.name()` as table, schema or prefix. Remove in `destroy` \
             what lies outside the directory.";
}
