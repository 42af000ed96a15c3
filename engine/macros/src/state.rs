//! `#[derive(State)]`.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitStr, Path, Result, Variant, parse_quote};

/// A variant with the labels that stand for it in a log.
struct Labelled<'a> {
    name: &'a Ident,
    label: LitStr,
    aliases: Vec<LitStr>,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            "State can be derived for enums only",
        ));
    };
    if data.variants.is_empty() {
        return Err(Error::new_spanned(
            &input.ident,
            "a State needs at least one variant",
        ));
    }
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a State can't be generic",
        ));
    }
    let engine = engine_path(input)?;
    let variants = data
        .variants
        .iter()
        .map(labelled)
        .collect::<Result<Vec<_>>>()?;
    reject_shared_labels(&variants)?;

    let state = &input.ident;
    let names: Vec<_> = variants.iter().map(|variant| variant.name).collect();
    let labels: Vec<_> = variants.iter().map(|variant| &variant.label).collect();
    let accepted = variants
        .iter()
        .map(|Labelled { label, aliases, .. }| quote!(#label #(| #aliases)*));
    Ok(quote! {
        #[automatically_derived]
        impl #engine::State for #state {
            const ALL: &'static [Self] = &[#(Self::#names),*];

            fn label(self) -> &'static str {
                match self {
                    #(Self::#names => #labels,)*
                }
            }

            fn from_label(label: &str) -> ::core::option::Option<Self> {
                match label {
                    #(#accepted => ::core::option::Option::Some(Self::#names),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

fn labelled(variant: &Variant) -> Result<Labelled<'_>> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new_spanned(variant, "a state carries no data"));
    }
    let mut rename = None;
    let mut aliases: Vec<LitStr> = Vec::new();
    for attribute in variant
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("state"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                let label: LitStr = meta.value()?.parse()?;
                if rename.replace(label).is_some() {
                    return Err(meta.error("a state has one `rename`"));
                }
                return Ok(());
            }
            if meta.path.is_ident("alias") {
                aliases.push(meta.value()?.parse()?);
                return Ok(());
            }
            Err(meta.error("unknown attribute, expected `rename` or `alias`"))
        })?;
    }
    let own_name = || LitStr::new(&unraw(&variant.ident), variant.ident.span());
    let label = rename.unwrap_or_else(own_name);
    let mut labels = std::iter::once(&label).chain(&aliases);
    if let Some(empty) = labels.find(|label| label.value().is_empty()) {
        return Err(Error::new_spanned(empty, "a state's label can't be empty"));
    }
    Ok(Labelled {
        name: &variant.ident,
        label,
        aliases,
    })
}

fn reject_shared_labels(variants: &[Labelled<'_>]) -> Result<()> {
    let mut taken = BTreeSet::new();
    for variant in variants {
        for label in std::iter::once(&variant.label).chain(&variant.aliases) {
            if !taken.insert(label.value()) {
                let message = format!("two states share the label {:?}", label.value());
                return Err(Error::new_spanned(label, message));
            }
        }
    }
    Ok(())
}

/// The path in `#[state(crate = path)]`, or the crate under its own name.
fn engine_path(input: &DeriveInput) -> Result<Path> {
    let mut engine: Path = parse_quote!(::crashpoint);
    for attribute in input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("state"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                engine = meta.value()?.call(Path::parse_mod_style)?;
                return Ok(());
            }
            Err(meta.error("unknown attribute, expected `crate = path`"))
        })?;
    }
    Ok(engine)
}

fn unraw(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#")
        .map_or_else(|| name.clone(), str::to_owned)
}
