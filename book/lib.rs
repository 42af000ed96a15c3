//! The Rust code of the README and of the book: `cargo test -p crashpoint-book` compiles and runs it.
//!
//! The program of the chapter "A world of your own" is not here: it is `examples/crash_test.rs`, which
//! mdbook includes.

/// Makes a type whose doc tests are the Rust blocks of a page.
macro_rules! pages {
    ($($name:ident: $path:literal,)*) => {$(
        #[doc = include_str!($path)]
        #[cfg(doctest)]
        pub struct $name;
    )*};
}

pages! {
    Readme: "../README.md",
    States: "../docs/states.md",
    FirstCrashTest: "../docs/first-crash-test.md",
    Upgrades: "../docs/upgrades.md",
    Certifying: "../docs/certifying.md",
    Operating: "../docs/operating.md",
    // The crate of the macros can't depend on the engine.
    Macros: "../engine/macros/README.md",
}
