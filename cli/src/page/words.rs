//! Words that every part of a page uses.

use crashpoint::Direction;
use crashpoint_simulator::render;
use maud::{Markup, html};

/// A text of a user's in a line: escaped, cut where it is long, and kept from reordering what is
/// around it.
pub(crate) fn shown(text: &str) -> Markup {
    html! { bdi { (render::escaped(text)) } }
}

/// A message that was put together from fixed words and a user's.
pub(crate) fn message(text: &str) -> Markup {
    html! { bdi { (render::escaped_line(text)) } }
}

/// A life, by its number and its colour.
pub(crate) fn life(life: u32) -> Markup {
    html! {
        @if life == 0 { span.life { "nobody" } }
        @else { span class=(format!("life {}", colour(life))) { "life " (life) } }
    }
}

/// The class of a life's colour; there are six, and then they come again.
pub(crate) fn colour(life: u32) -> String {
    format!("l{}", life.saturating_sub(1) % 6 + 1)
}

pub(crate) fn undo(direction: Direction) -> &'static str {
    match direction {
        Direction::Do => "",
        Direction::Undo => "undo ",
    }
}
