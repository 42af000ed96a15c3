//! The ledger: every effect that reached the world.

use crashpoint_simulator::render::escaped_full;
use crashpoint_simulator::{History, Reception};
use maud::{Markup, html};

use crate::page::words::{life, shown};

pub(super) fn ledger(history: &History, id: &str) -> Markup {
    let mut effects = history.effects().peekable();
    html! {
        @if effects.peek().is_none() { p.note { "no effect" } }
        @else {
            table.ledger {
                thead { tr { th { "of" } th { "effect" } th { "visit" } th { "key" } th { "receiver" } } }
                tbody {
                    @for (place, of, effect) in effects {
                        tr data-k=(format!("k{}", escaped_full(&effect.key))) {
                            td.short { (life(of)) }
                            td {
                                a href=(format!("#{id}-{place}")) { (shown(&effect.words())) }
                                @if !effect.payload.is_empty() { " " code { (shown(&effect.payload)) } }
                            }
                            td { (effect.visit) }
                            td.short { code { (shown(&short(&effect.key))) } }
                            td.short {
                                @match effect.reception {
                                    Reception::Performed => "performed",
                                    Reception::Repeated => "knew the key",
                                    Reception::Voided => "refused: undone",
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The beginning of a key, enough to distinguish it.
fn short(key: &str) -> String {
    key.chars().take(8).collect()
}
