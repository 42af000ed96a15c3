//! `#[checkpoint_store]`: adds the trait's header to an inherent `impl`, then hands over to
//! `async_trait`, which does the boxing.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, ItemImpl, Path, Result, Token, parse_quote};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let engine = engine_path(arguments)?;
    let boxed = quote!(#[#engine::__private::async_trait]);
    match syn::parse2::<Item>(item)? {
        Item::Impl(block) => {
            let block = with_header(block, &engine);
            Ok(quote!(#boxed #block))
        }
        Item::Trait(declaration) => Ok(quote!(#boxed #declaration)),
        other => Err(syn::Error::new_spanned(
            other,
            "#[checkpoint_store] goes on `impl CheckpointStore for ...`, on an inherent `impl` \
             or on a trait",
        )),
    }
}

fn with_header(mut block: ItemImpl, engine: &Path) -> ItemImpl {
    if block.trait_.is_none() {
        block.trait_ = Some((
            parse_quote!(#engine::CheckpointStore),
            <Token![for]>::default(),
        ));
    }
    block
}

/// The path in `crate = path`, or the crate under its own name.
fn engine_path(arguments: TokenStream) -> Result<Path> {
    let mut engine: Path = parse_quote!(::crashpoint);
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("crate") {
            engine = meta.value()?.call(Path::parse_mod_style)?;
            return Ok(());
        }
        Err(meta.error("unknown argument, expected `crate = path`"))
    });
    syn::parse::Parser::parse2(parser, arguments)?;
    Ok(engine)
}
