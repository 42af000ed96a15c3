//! Phrases that every part of a page uses.

use crashpoint::Direction;
use crashpoint_simulator::render;
use maud::{Markup, html};

/// A user's text in a line: escaped, shortened, and isolated so that it can't reorder the text around
/// it.
pub(crate) fn shown(text: &str) -> Markup {
    html! { bdi { (render::escaped(text)) } }
}

/// A message that contains a user's text.
pub(crate) fn message(text: &str) -> Markup {
    html! { bdi { (render::escaped_line(text)) } }
}

/// A life, with its number and colour.
pub(crate) fn life(life: u32) -> Markup {
    html! {
        @if life == 0 { span.life { "nobody" } }
        @else { span class=(format!("life {}", colour(life))) { "life " (life) } }
    }
}

/// The class of the colour of a life. The six colours repeat.
pub(crate) fn colour(life: u32) -> String {
    format!("l{}", life.saturating_sub(1) % 6 + 1)
}

pub(crate) fn undo(direction: Direction) -> &'static str {
    match direction {
        Direction::Do => "",
        Direction::Undo => "undo ",
    }
}
