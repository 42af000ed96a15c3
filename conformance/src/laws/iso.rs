//! Isolation: an id is opaque text, and no two ids share a row.

use crate::case::Case;
use crate::finding::expect::{Checked, Failure, broken, marked};
use crate::laws::ids::{Lookalikes, Refusal};

const SEQUENCES: &[u64] = &[0, 1];

async fn apart(case: &Case, ids: &[&str]) -> Checked {
    let ids = Lookalikes {
        ids,
        sequences: SEQUENCES,
        refusal: Refusal::Forbidden,
    };
    ids.stay_apart(case).await
}

async fn apart_or_refused(case: &Case, ids: &[&str]) -> Checked {
    let ids = Lookalikes {
        ids,
        sequences: SEQUENCES,
        refusal: Refusal::Allowed,
    };
    ids.stay_apart(case).await
}

pub(crate) async fn iso_01_prefixes_stay_apart(case: &Case) -> Checked {
    apart(
        case,
        &[
            "order",
            "order-",
            "order-1",
            "order-10",
            "order-100",
            "o",
            "orde",
        ],
    )
    .await
}

pub(crate) async fn iso_02_separators_smuggle_nothing(case: &Case) -> Checked {
    let ids = [
        "a",
        "a:",
        "a:1",
        "a:1:2",
        "a/1",
        "a/",
        "a|1",
        "a#1",
        "a.1",
        "a,1",
        "a\t1",
        "a\n1",
        "a_1",
        "a-1",
        "a\u{1f}1",
        "a\u{ff}1",
        "a1",
        "a12",
        "a0",
        ":a",
        "/a",
        "a:0",
        "a:00000000000000000000",
        // Escaped forms of some ids above.
        "a%2F1",
        "a%3a1",
        "a%231",
        "a\\/1",
    ];
    // `a` at 12 and `a1` at 2 are equal if id and sequence are joined.
    let ids = Lookalikes {
        ids: &ids,
        sequences: &[0, 2, 12],
        refusal: Refusal::Forbidden,
    };
    ids.stay_apart(case).await
}

pub(crate) async fn iso_03_case_matters(case: &Case) -> Checked {
    apart(
        case,
        &[
            "order", "Order", "ORDER", "straße", "STRASSE", "strasse", "İ", "i", "ı", "I",
        ],
    )
    .await
}

pub(crate) async fn iso_04_outer_spaces_matter(case: &Case) -> Checked {
    apart(
        case,
        &[
            "a", " a", "a ", "a  ", "\ta", "a\n", "a\r\n", "\u{a0}a", " ", "  ",
        ],
    )
    .await
}

pub(crate) async fn iso_05_sql_wildcards_are_ordinary(case: &Case) -> Checked {
    apart(
        case,
        &[
            "abc", "a%", "%", "a_c", "___", "a\\%", "a\\_c", "[a]bc", "abc%",
        ],
    )
    .await
}

pub(crate) async fn iso_06_glob_characters_are_ordinary(case: &Case) -> Checked {
    apart(
        case,
        &[
            "abc", "a*", "*", "a?c", "???", "[abc]bc", "a[!x]c", "{abc,x}", "a\\*", "**",
        ],
    )
    .await
}

pub(crate) async fn iso_07_quotes_and_sql_are_ordinary(case: &Case) -> Checked {
    let ids = [
        "a",
        "a'",
        "a''",
        "a\"",
        "a`",
        "a\\",
        "a\\'",
        "' OR '1'='1",
        "a'; DELETE FROM checkpoints",
        "a' --",
        "$1",
        "?1",
        ":id",
        "@id",
        "{}",
        "${a}",
        "a;b",
    ];
    apart(case, &ids).await
}

pub(crate) async fn iso_08_paths_stay_inside_the_place(case: &Case) -> Checked {
    let place = case.place();
    let absolute = place.outside("absolute").to_string_lossy().into_owned();
    let ids = [
        "x",
        "../x",
        "..",
        ".",
        "./x",
        "../../x",
        "..\\x",
        "x/../y",
        "y",
        "/",
        "x/",
        "~/x",
        "CON",
        "con",
        "nul",
        "COM1",
        "x.",
        "file:///x",
        "%2e%2e%2fx",
        &absolute,
    ];
    apart_or_refused(case, &ids).await?;
    let strays = place.strays();
    let strays = strays.map_err(|error| Failure::Harness(error.to_string()))?;
    if let Some(stray) = strays.first() {
        return Err(broken(format!(
            "after runs with paths for ids: expected nothing outside of its place, got {}",
            stray.display()
        )));
    }
    Ok(())
}

pub(crate) async fn iso_09_nul_bytes_are_kept_or_refused(case: &Case) -> Checked {
    apart_or_refused(case, &["a", "a\0", "a\0b", "a\0c", "\0a", "\0", "\0\0"]).await
}

pub(crate) async fn iso_10_unicode_is_not_normalised(case: &Case) -> Checked {
    let ids = [
        "caf\u{e9}",
        "cafe\u{301}",
        "cafe",
        "caf\u{e9}\u{200b}",
        "\u{feff}cafe",
        "ca\u{ad}fe",
        "\u{212b}",
        "\u{c5}",
        "A\u{30a}",
        "ﬁ",
        "fi",
        "\u{202e}efac",
        "ⅷ",
        "viii",
        "１",
        "1",
        "👩\u{200d}🚀",
        "👩🚀",
        "👍",
        "👍🏽",
        "한",
        "\u{1112}\u{1161}\u{11ab}",
        "\u{10ffff}",
    ];
    apart(case, &ids).await
}

pub(crate) async fn iso_11_the_empty_id_is_kept_or_refused(case: &Case) -> Checked {
    apart_or_refused(
        case,
        &["", " ", "default", "null", "NULL", "None", "undefined"],
    )
    .await
}

/// The ids of services are at least as long as that.
const ID_BYTES_MAX_LEAST: usize = 64;

pub(crate) async fn iso_12_long_ids_are_faithful_or_refused(case: &Case) -> Checked {
    if let Some(most) = case.options().id_bytes_max {
        if most < ID_BYTES_MAX_LEAST {
            return Err(Failure::Inconclusive(format!(
                "`Options::id_bytes_max` is {most}: a store needs ids of {ID_BYTES_MAX_LEAST} bytes"
            )));
        }
        let longest = "i".repeat(most);
        apart(case, &["i", &longest[1..], &longest]).await?;
    }
    let lengths = [255, 256, 257, 1024, 64 * 1024];
    let ids = lengths.map(|length| "a".repeat(length));
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.push("a");
    apart_or_refused(case, &ids).await
}

pub(crate) async fn iso_13_long_ids_with_a_common_prefix_stay_apart(case: &Case) -> Checked {
    // Five lengths from 200 to 40,000 bytes, each with two ids that differ only in the last byte.
    let lengths = [200, 254, 1000, 4000, 40_000];
    let long = |length: usize, end: &str| format!("{}{end}", "x".repeat(length));
    let ids: Vec<String> = lengths
        .into_iter()
        .flat_map(|length| [long(length, "1"), long(length, "2")])
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    apart_or_refused(case, &ids).await
}

pub(crate) async fn iso_14_numeric_ids_are_not_parsed(case: &Case) -> Checked {
    let ids = [
        "1",
        "01",
        "001",
        "1.0",
        "1.",
        "+1",
        "-1",
        "1e0",
        "0x1",
        "10",
        "0",
        "-0",
        "00",
        "NaN",
        "true",
        "9007199254740993",
        "9007199254740992",
    ];
    apart(case, &ids).await
}

pub(crate) async fn iso_15_the_backends_own_names_are_ordinary(case: &Case) -> Checked {
    let common = [
        "checkpoints",
        "checkpoint",
        "rows",
        "runs",
        "run",
        "meta",
        "__meta__",
        "metadata",
        "index",
        "sequence",
        "workflow_id",
        "version",
        "schema",
        "sqlite_master",
        "lock",
        "LOCK",
        "MANIFEST",
        "CURRENT",
        "data",
        "tmp",
        "default",
        "system",
        "admin",
        "_",
        "__proto__",
        "constructor",
    ];
    let own = case.options().reserved_names.iter().map(String::as_str);
    let mut ids: Vec<&str> = common.into_iter().chain(own).collect();
    // A harness may reserve a common name, or a name twice.
    ids.sort_unstable();
    ids.dedup();
    apart(case, &ids).await
}

pub(crate) async fn iso_16_five_thousand_ids_stay_apart(case: &Case) -> Checked {
    const IDS: usize = 5000;
    const CLEARED: usize = 10;
    let store = case.open().await?;
    let ids: Vec<String> = (0..IDS).map(|number| format!("order-{number}")).collect();
    for id in &ids {
        store.append(id, &marked(0, id)).await?;
    }
    for id in &ids {
        store
            .holds(id, &[marked(0, id)], "one of five thousand")
            .await?;
    }
    for id in ids.iter().step_by(CLEARED) {
        store.clear(id).await?;
    }
    for (number, id) in ids.iter().enumerate() {
        if !number.is_multiple_of(CLEARED) {
            let kept = [marked(0, id)];
            let when = format!("after every {CLEARED}th id was cleared");
            store.holds(id, &kept, &when).await?;
        }
    }
    Ok(())
}

/// Pairs of ids with the same hash, of those that stores use: FNV-1a of 64 and of 32 bits, FNV-1, CRC-32,
/// and the multiplications by 33 and 31.
const SAME_HASH: [[&str; 2]; 9] = [
    ["8yn0iYCKYHlIj4-BwPqk", "GReLUrM4wMqfg9yzV3KQ"],
    ["gMPflVXtwGDXbIhP73TX", "LtHf1prlU1bCeYZEdqWf"],
    ["costarring", "liquid"],
    ["declinate", "macallums"],
    ["creamwove", "quists"],
    ["plumless", "buckeroo"],
    ["codding", "gnu"],
    ["hetairas", "mentioner"],
    ["Aa", "BB"],
];

pub(crate) async fn iso_17_ids_with_equal_hashes_stay_apart(case: &Case) -> Checked {
    // What follows two texts with the same hash keeps it the same. Some stores hash only long ids.
    let suffix = "x".repeat(300);
    let short = SAME_HASH.into_iter().flatten().map(str::to_owned);
    let long = SAME_HASH.into_iter().flatten();
    let ids: Vec<String> = short
        .chain(long.map(|id| format!("{id}{suffix}")))
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    apart_or_refused(case, &ids).await
}
