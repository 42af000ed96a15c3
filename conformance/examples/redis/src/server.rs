//! The settings of the server on which the durability of rows depends.

use std::collections::BTreeMap;

use crashpoint::Error;
use redis::aio::ConnectionManager;
use redis::{Value, cmd};

use crate::failure;

/// Each setting with the value that a store needs.
const SETTINGS: [(&str, &str); 4] = [
    ("appendonly", "yes"),
    ("appendfsync", "always"),
    ("no-appendfsync-on-rewrite", "no"),
    ("maxmemory-policy", "noeviction"),
];

/// The first setting with which the server may lose what it has acknowledged, if it has one.
pub(crate) async fn unsafe_setting(
    connection: &mut ConnectionManager,
) -> Result<Option<String>, Error> {
    let mut get = cmd("CONFIG");
    get.arg("GET");
    for (name, _) in SETTINGS {
        get.arg(name);
    }
    let found = get.query_async(connection).await;
    let found: BTreeMap<String, String> =
        found.map_err(|error| failure::of("reading the server's settings", error))?;
    for (name, needed) in SETTINGS {
        let value = found.get(name).map(String::as_str);
        if value != Some(needed) {
            let value = value.unwrap_or("unknown");
            return Ok(Some(format!("{name} is {value}, expected {needed}")));
        }
    }
    let role = cmd("ROLE").query_async(connection).await;
    let role: Vec<Value> = role.map_err(|error| failure::of("reading the server's role", error))?;
    let is_primary = matches!(role.first(), Some(Value::BulkString(word)) if word == b"master");
    Ok((!is_primary).then(|| "it is a replica".to_owned()))
}
