//! The guide to the laws of listing.

use super::guide;

guide! {
    about "A listing finds the runs that a process left behind. Recovery asks for page after page, each time \
           after the last id that it has, while other processes start and end runs."
    sql "`SELECT DISTINCT id FROM rows WHERE id > $1 ORDER BY id LIMIT $2`, with an order by bytes (BYTEA \
         on PostgreSQL, `BINARY` on SQLite), and without a lower bound for the first page"
    kv "a range scan from the key after the last id; jump over the rows of a run to the next id"
    files "an id in each file or directory, decoded and sorted: the order of a directory is not that of the ids"

    LST_01 Claim
        why "Recovery resumes the runs that are listed. A run that is missing waits for ever, a run that is \
             listed twice is resumed twice."
        cause "The order is that of a locale or of a hash, or a join lists a run once for each row."
        fix "Select distinct ids and compare them byte by byte.";
    LST_02 Claim
        why "The last id of a page is where the next begins. If it is listed again, paging never ends; if a \
             page is short before the end, the rest is never seen."
        cause "The bound is `>=`, an internal page is shorter than the limit that was asked for, or the limit \
               overflows: one more is fetched, or it becomes a signed integer."
        fix "Use a strict bound, fill a page up to the limit unless nothing follows, and take `usize::MAX` for no \
             limit.";
    LST_03 Claim
        why "A listed run without rows is started as a new run by whoever resumes it."
        cause "A table of ids is not changed together with the rows, or a clear leaves a tombstone in it."
        fix "Take the ids from the rows, or change the table of ids in the transaction that changes the rows.";
    LST_04 Claim
        why "Recovery lists while services run. A run that was there all the time must be found, whatever \
             else begins or ends."
        cause "Pages are counted by an offset, and a run that ends moves the rest forward."
        fix "Seek by the last id (`WHERE id > $1`), never by OFFSET or by a position.";
}
