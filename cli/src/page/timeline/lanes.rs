//! The lanes beside the timeline: the world on the left, then each life, the store on the right.
//!
//! Each row of the timeline has a small drawing, as high as its text. Together they form one
//! picture, in which time goes down.

use std::collections::BTreeMap;

use crashpoint::Direction;
use crashpoint_simulator::{History, Reception, What};
use maud::{Markup, html};

use crate::page::timeline::event::{Glyph, Stages, TimelineEvent, ends};
use crate::page::words::colour;

/// The distance between lanes if there are few, and the maximum width of all, in pixels.
const APART: u32 = 20;
const WIDTH_MAX: u32 = 150;

/// The middle of a row's first line, in pixels from its top.
const MIDDLE: u32 = 13;

/// The lives, and the places where each begins and ends.
#[derive(Debug)]
pub(in crate::page) struct Lanes {
    lives: BTreeMap<u32, Span>,
    /// Running attempts: the life, and the places where each begins and ends.
    attempts: Vec<(u32, usize, usize)>,
    apart: u32,
}

/// The first and the last place of a life.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: usize,
    to: usize,
}

impl Lanes {
    pub(in crate::page) fn of(history: &History) -> Self {
        let mut lives: BTreeMap<u32, Span> = BTreeMap::new();
        let mut over: Vec<u32> = Vec::new();
        for (place, entry) in history.0.iter().enumerate() {
            let late = matches!(entry.what, What::Landed(_)) && over.contains(&entry.life);
            if entry.life == 0 || late {
                continue;
            }
            let span = lives.entry(entry.life).or_insert(Span {
                from: place,
                to: place,
            });
            span.to = place;
            if ends(entry) {
                over.push(entry.life);
            }
        }
        let attempts = attempts(history, &lives);
        let count = lives.len() as u32 + 1;
        let apart = APART.min(WIDTH_MAX / count).max(6);
        Self {
            lives,
            attempts,
            apart,
        }
    }

    pub(in crate::page) fn lives(&self) -> impl Iterator<Item = u32> + '_ {
        self.lives.keys().copied()
    }

    pub(in crate::page) fn width(&self) -> u32 {
        self.store() + 12
    }

    const fn world() -> u32 {
        12
    }

    fn store(&self) -> u32 {
        Self::world() + self.apart * (self.lives.len() as u32 + 1)
    }

    fn x(&self, life: u32) -> u32 {
        let lane = self.lives.keys().position(|known| *known == life);
        lane.map_or(self.store(), |lane| {
            Self::world() + self.apart * (lane as u32 + 1)
        })
    }

    /// The names above the lanes.
    pub(in crate::page) fn head(&self) -> Markup {
        let name = |x: u32, class: &str, name: &str| {
            html! {
                text class=(class) x=(x) y="54" transform=(format!("rotate(-90 {x} 54)")) dy="4" { (name) }
            }
        };
        html! {
            svg.head width=(self.width()) height="58" aria-hidden="true" {
                (name(Self::world(), "rail", "world"))
                @for life in self.lives() {
                    (name(self.x(life), &colour(life), &format!("life {life}")))
                }
                (name(self.store(), "rail", "store"))
            }
        }
    }

    /// The drawing beside an event; the next one begins at the place `next`.
    pub(in crate::page) fn draw(&self, event: &TimelineEvent, next: usize) -> Markup {
        let (first, last) = (event.place, next - 1);
        html! {
            svg.lanes width=(self.width()) aria-hidden="true" {
                @for x in [Self::world(), self.store()] {
                    line.rail x1=(x) x2=(x) y1="0" y2="100%" {}
                }
                @for (&life, span) in &self.lives {
                    @if span.from <= last && span.to >= first {
                        (self.lane(life, *span, first, last))
                    }
                }
                (self.glyph(event))
            }
        }
    }

    fn lane(&self, life: u32, span: Span, first: usize, last: usize) -> Markup {
        let x = self.x(life);
        let begins = (first..=last).contains(&span.from);
        let over = (first..=last).contains(&span.to);
        let under_way = self
            .attempts
            .iter()
            .find(|(of, from, to)| *of == life && *from <= last && *to >= first);
        let (middle, top, bottom) = (MIDDLE.to_string(), "0".to_owned(), "100%".to_owned());
        let edge = |is: bool, otherwise: &String| if is { &middle } else { otherwise }.clone();
        html! {
            line class=(format!("lane {}", colour(life))) x1=(x) x2=(x)
                y1=(edge(begins, &top)) y2=(edge(over, &bottom)) {}
            @if let Some((_, from, to)) = under_way {
                line class=(format!("task {}", colour(life))) x1=(x) x2=(x)
                    y1=(edge((first..=last).contains(from), &top))
                    y2=(edge((first..=last).contains(to), &bottom)) {}
            }
        }
    }

    fn wire(&self, life: u32, to: u32, class: &str) -> Markup {
        let class = format!("wire {} {class}", colour(life));
        html! { line class=(class) x1=(self.x(life)) x2=(to) y1=(MIDDLE) y2=(MIDDLE) {} }
    }

    fn glyph(&self, event: &TimelineEvent) -> Markup {
        let (life, x) = (event.life, self.x(event.life));
        let (world, store, y) = (Self::world(), self.store(), MIDDLE);
        let own = colour(life);
        match event.glyph {
            Glyph::Begin => html! {
                circle class=(format!("begin {own}")) cx=(x) cy=(y) r="8" {}
                text.number x=(x) y=(y + 4) { (life) }
            },
            Glyph::Append { stages, claim } => self.append(life, stages, claim),
            Glyph::AppendFailed => html! {
                (self.wire(life, store, "dashed")) (cross(x, "bad"))
            },
            Glyph::Load => html! {
                (self.wire(life, store, "thin"))
                path class=(format!("fill {own}")) d=(format!("M{} {y}l8 -5v10z", x - 2)) {}
            },
            Glyph::LoadFailed => html! { (self.wire(life, store, "dashed")) (cross(x, "bad")) },
            Glyph::Attempt(Direction::Do) => html! {
                path class=(format!("fill {own}")) d=(format!("M{} {}h14l-7 11z", x - 7, y - 5)) {}
            },
            Glyph::Attempt(Direction::Undo) => html! {
                path class=(format!("hollow {own}")) d=(format!("M{} {}h14l-7 -11z", x - 7, y + 6)) {}
            },
            Glyph::AttemptFailed => cross(x, "warn"),
            Glyph::Effect(direction, reception) => {
                let solid = reception == Reception::Performed && direction == Direction::Do;
                let class = if solid { "fill" } else { "hollow" };
                html! {
                    (self.wire(life, world, if reception == Reception::Performed { "" } else { "dashed" }))
                    path class=(format!("{class} {own}")) d=(format!("M{world} {}l6 6l-6 6l-6 -6z", y - 6)) {}
                }
            }
            Glyph::Note => flag(x, "note", "i"),
            Glyph::Clear => html! {
                (self.wire(life, store, ""))
                rect class=(format!("hollow {own}")) x=(store - 5) y=(y - 5) width="10" height="10" {}
            },
            Glyph::Crash => html! { circle.halo cx=(x) cy=(y) r="9" {} (cross(x, "crash")) },
            Glyph::Takeover => flag(x, "takeover", ">"),
            Glyph::Cancel => flag(x, "cancel", "/"),
            Glyph::Fault => flag(x, "warn", "!"),
            Glyph::Alarm => flag(x, "bad", "!"),
            Glyph::End { outcome } => {
                let class = if outcome { "fill" } else { "hollow" };
                html! {
                    rect class=(format!("{class} {own}")) x=(x - 6) y=(y - 6) width="12" height="12" {}
                }
            }
        }
    }

    fn append(&self, life: u32, stages: Stages, claim: bool) -> Markup {
        let (x, store, y) = (self.x(life), self.store(), MIDDLE);
        let own = colour(life);
        let mark = if claim {
            html! { path class=(format!("fill {own}")) d=(format!("M{store} {}l7 7l-7 7l-7 -7z", y - 7)) {} }
        } else {
            html! { circle class=(format!("fill {own}")) cx=(store) cy=(y) r="5" {} }
        };
        let class = if stages.durable || stages.acknowledged {
            ""
        } else {
            "dashed"
        };
        html! {
            (self.wire(life, store, class))
            @if stages.sent { circle class=(format!("hollow {own}")) cx=(x) cy=(y) r="4" {} }
            @if stages.acknowledged { circle class=(format!("fill {own}")) cx=(x) cy=(y) r="4" {} }
            @if stages.durable { (mark) }
        }
    }
}

fn cross(x: u32, class: &str) -> Markup {
    let (left, top) = (x - 5, MIDDLE - 5);
    html! { path class=(format!("cross {class}")) d=(format!("M{left} {top}l10 10m0 -10l-10 10")) {} }
}

/// A round sign with a character in it.
fn flag(x: u32, class: &str, sign: &str) -> Markup {
    html! {
        circle class=(format!("flag {class}")) cx=(x) cy=(MIDDLE) r="8" {}
        text.number x=(x) y=(MIDDLE + 4) { (sign) }
    }
}

fn attempts(history: &History, lives: &BTreeMap<u32, Span>) -> Vec<(u32, usize, usize)> {
    let mut attempts: Vec<(u32, usize, usize)> = Vec::new();
    let mut open: BTreeMap<u32, usize> = BTreeMap::new();
    for (place, entry) in history.0.iter().enumerate() {
        match &entry.what {
            What::Started(_) => _ = open.insert(entry.life, place),
            What::Finished { .. } => {
                let from = open.remove(&entry.life);
                attempts.extend(from.map(|from| (entry.life, from, place)));
            }
            _ => {}
        }
    }
    for (life, from) in open {
        let to = lives.get(&life).map_or(from, |span| span.to);
        attempts.push((life, from, to));
    }
    attempts
}
