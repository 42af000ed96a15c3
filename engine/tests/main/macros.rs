//! The derive of states, and what the macros refuse to compile.

use crashpoint::State;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    #[state(rename = "pack")]
    Pack,
    #[state(rename = "shipped", alias = "Shipped", alias = "sent")]
    Shipped,
    r#Loop,
}

#[test]
fn a_label_is_the_variant_s_name_or_what_it_is_renamed_to() {
    let labels: Vec<&str> = Order::ALL.iter().map(|state| state.label()).collect();
    assert_eq!(labels, ["Charge", "pack", "shipped", "Loop"]);
    for state in Order::ALL {
        assert_eq!(Order::from_label(state.label()), Some(*state));
    }
}

#[test]
fn an_alias_is_read_and_never_written() {
    for (label, state) in [
        ("Shipped", Some(Order::Shipped)),
        ("sent", Some(Order::Shipped)),
        ("Pack", None),
        ("r#Loop", None),
        ("", None),
    ] {
        assert_eq!(Order::from_label(label), state, "{label:?}");
    }
}

/// The engine behind another name.
mod facade {
    pub(crate) use crashpoint as engine;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, facade::engine::State)]
#[state(crate = facade::engine)]
enum Elsewhere {
    Only,
}

#[test]
fn a_derive_finds_the_engine_where_it_is_told_to() {
    assert_eq!(Elsewhere::from_label("Only"), Some(Elsewhere::Only));
}

#[test]
fn what_is_no_state_and_no_store_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
