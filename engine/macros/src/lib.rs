//! The macros of `crashpoint`, which re-exports them. Depend on that crate instead.

use proc_macro::TokenStream;

mod checkpoint_store;
mod state;

/// Lets you write an `impl CheckpointStore for ...` or an `impl ListRuns for ...` with `async fn`s.
///
/// It accepts three items:
///
/// - `impl CheckpointStore for MyStore { ... }` and `impl ListRuns for MyStore { ... }`: each `async fn`
///   becomes a method of the object-safe trait;
/// - an inherent `impl MyStore { ... }`: the same, and the macro adds the trait's header;
/// - a `trait` of your own that follows the same convention.
///
/// `#[checkpoint_store(crate = my_reexport::engine)]` gives the path of the engine's crate if it has
/// another name.
#[proc_macro_attribute]
pub fn checkpoint_store(arguments: TokenStream, item: TokenStream) -> TokenStream {
    checkpoint_store::expand(arguments.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Implements `State` for an enum whose variants carry no data.
///
/// The log keeps the label of a variant: its name, or that of `#[state(rename = "...")]`. Any number of
/// `#[state(alias = "...")]` name labels in older logs. Two variants can't share a label. On the enum,
/// `#[state(crate = path)]` gives the path of the engine's crate if it has another name.
#[proc_macro_derive(State, attributes(state))]
pub fn derive_state(item: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(item as syn::DeriveInput);
    state::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
