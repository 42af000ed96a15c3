//! The guide to the laws that run the engine.

use super::guide;

guide! {
    about "Real workflows run on the store: a life is dropped at every operation, a second one takes over, \
           and tasks record what they did. What breaks here and nowhere else is a rule of the store that the \
           contract does not know."
    sql "no unique index but the primary key; no CHECK on the kind; no foreign key to a table of runs"
    kv "values carry the kind as it is; a number that the decoder does not know is an error, not a default"
    files "the row's format names every kind; a row that can't be decoded is an error of the load"

    ENG_01 Engine
        why "This is what a user would see: a task that ran twice, an undo that did not run, a run that \
             can't be resumed."
        cause "Another law is broken, or the store rejects or changes rows by a rule of its own: by kind, by \
               task, by state."
        fix "Fix the other laws first. If only this law fails, look for what the other laws do not do: rows whose \
             labels differ only in case, blobs that are equal in two rows of a run, many kinds in one run, a \
             limit on the rows of a kind. A unique index, a trigger or a cache by such a key is the rule.";
    ENG_02 Fence
        why "Two processes that both believe they own a run are the case that the fence is made for."
        cause "As in DUP-07 and CON-01; here the racing rows have different kinds and the same sequence."
        fix "Check and write in one step, and compare the sequence alone, whatever the kind. If DUP-07 and CON-01 \
             pass, the store treats a claim otherwise than other rows, or two equal blobs as one.";
    ENG_03 Scope
        why "Under ClearWhenDone an ended run leaves no row, and its id can be used again. This is sound \
             only in a store whose late writes can't come back."
        cause "The scope is created with each call, or a clear does not reach every row."
        fix "Create the scope once, when the store is opened, and return clones of it; CAN-07 and CAN-08 say \
             what it promises. If these pass and the scope is one, a clear leaves rows of a kind or a life, or \
             a cache serves them.";
    ENG_04 Row
        why "The engine has kinds beyond the three of the reference crate: claims, effects, outcomes. If a \
             store turns them into others, no run can be resumed."
        cause "A wildcard stands at the end of a mapping of kinds."
        fix "Map the kind by `RowKind`'s own number or name, both ways, without a default. A store for the \
             reference crate says `lacks: [engine_kinds]`.";
    ENG_05 Scope
        why "The engine clears logs in any store that returns a scope, whatever its author claims. Without \
             the claims no law checks what this needs."
        cause "`exclusive_scope` was copied from another store, or a claim was taken back when its law failed."
        fix "Claim `exclusive_scope` and `settled`, or return None.";
    ENG_06 Scope
        why "Two processes with one place are two registries of lives. A log that one clears is still in use \
             by the other."
        cause "The place is not locked, so that a second process opens it."
        fix "Hold a lock that ends with the process (`File::try_lock`, an advisory lock of the server's \
             session) while the store is open, or return None from `exclusive_scope`.";
}
