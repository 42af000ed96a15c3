//! The macros of `crashpoint`, which re-exports them; depend on that crate instead.

use proc_macro::TokenStream;

mod checkpoint_store;
mod state;

/// Lets an `impl CheckpointStore for ...` be written with `async fn`s.
///
/// Accepted on three items:
///
/// - `impl CheckpointStore for MyStore { ... }`: each `async fn` becomes what the object-safe trait
///   asks for;
/// - an inherent `impl MyStore { ... }`: the same, and the macro writes the trait's header;
/// - a `trait` of one's own that is to follow the same convention.
///
/// `#[checkpoint_store(crate = my_reexport::engine)]` names the engine's crate where it goes by
/// another name.
#[proc_macro_attribute]
pub fn checkpoint_store(arguments: TokenStream, item: TokenStream) -> TokenStream {
    checkpoint_store::expand(arguments.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Implements `State` for an enum whose variants carry no data.
///
/// A variant's label, which is what the log keeps, is its own name, or `#[state(rename = "...")]`.
/// `#[state(alias = "...")]`, any number of times, names labels that older logs may hold. Two
/// variants can't share a label. On the enum, `#[state(crate = path)]` names the engine's crate
/// where it goes by another name.
#[proc_macro_derive(State, attributes(state))]
pub fn derive_state(item: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(item as syn::DeriveInput);
    state::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
