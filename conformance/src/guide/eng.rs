//! The guide to the laws that run the engine.

use super::guide;

guide! {
    about "Real workflows on the store: a life is dropped at every operation, a second one takes over, and \
           tasks note what they did. What breaks here and nowhere else is a rule of the store's that the \
           contract does not know."
    sql "no unique index but the primary key; no CHECK on the kind; no foreign key to a table of runs"
    kv "values carry the kind as it is; a number that the decoder does not know is an error, not a default"
    files "the row's format names every kind; a row that can't be decoded is an error of the load"

    ENG_01 Engine
        "Here it is seen as a user sees it: a task that ran twice, an undo that did not run, a run that \
         can't be resumed."
        "Mend the other laws first. If only this one fails, look for rows that the store refuses or \
         changes on grounds of its own: by kind, by task, by state.";
    ENG_02 Fence
        "Two processes that both think they own a run are the case the fence is made for."
        "See DUP-07 and CON-01; here the racing rows have different kinds and the same sequence.";
    ENG_03 Scope
        "Under ClearWhenDone an ended run leaves no row, and its id can be used again. That is sound only \
         in a store whose late writes can't come back."
        "Create the scope once, when the store is opened, and give out clones of it; see CAN-07 and CAN-08 \
         for what it promises.";
    ENG_04 Row
        "The engine has kinds beyond the three of the reference crate: claims, effects, outcomes. A \
         wildcard at the end of a mapping turns them into something else, and no run can be resumed."
        "Map the kind by `RowKind`'s own number or name, both ways, without a default. A store for the \
         reference crate says `lacks: [engine_kinds]`.";
}
