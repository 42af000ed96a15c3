//! The page of certificates in a real browser: on a phone, in the dark, printed, and with texts that
//! would break out.

use std::path::Path;

use crashpoint_cli::certificate::of_certificates;
use crashpoint_conformance::merge;

use super::browser::{browser, started};
use super::escaping::NASTY;
use crate::certificates::{failing, journal};

/// The width of a small phone, in pixels.
const PHONE: u32 = 360;

/// A store that fails a law with `message`.
fn page(message: &str) -> String {
    let lines = journal(&failing("DUP-07", message));
    of_certificates(&merge([("lines.jsonl", &*lines)]))
}

/// A document that shows `page` in a frame as wide as a phone, and says how wide the page is there and
/// which colours it has.
fn framed(page: &str) -> String {
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<!doctype html><meta name=color-scheme content='light dark'>
        <iframe width={PHONE} height=800 srcdoc=\"{page}\"></iframe><script>
        const frame = document.querySelector('iframe');
        frame.onload = () => {{
            const inner = frame.contentDocument;
            for (const each of inner.querySelectorAll('details')) each.open = true;
            const style = frame.contentWindow.getComputedStyle(inner.body);
            const said = document.documentElement.dataset;
            said.wide = inner.documentElement.scrollWidth;
            said.colours = style.color + ' on ' + style.backgroundColor;
            said.pwned = inner.documentElement.hasAttribute('data-pwned');
        }};</script>"
    )
}

/// What the document says of the page: an attribute of its root.
fn said(dom: &str, attribute: &str) -> String {
    let (_, rest) = dom
        .split_once(&format!("data-{attribute}=\""))
        .unwrap_or_else(|| panic!("{dom}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn a_certificate_fits_a_phone_keeps_texts_apart_has_a_dark_side_and_prints() {
    let Some(browser) = browser() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder is made");
    let dom = |name: &str, page: &str, more: &[&str]| {
        let file = folder.path().join(name);
        std::fs::write(&file, page).expect("the page is written");
        let arguments = [&["--dump-dom"], more].concat();
        let output = started(browser, &file, folder.path(), &arguments);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let width = |dom: &str| said(dom, "wide").parse::<u32>().expect("a number");
    let history = format!("got 2:\n  {}", "|----------|".repeat(40));
    let light = dom(
        "light.html",
        &framed(&page(&history)),
        &["--blink-settings=preferredColorScheme=1"],
    );
    assert!(width(&light) <= PHONE, "{} pixels wide", width(&light));
    let dark = dom(
        "dark.html",
        &framed(&page(&history)),
        &["--blink-settings=preferredColorScheme=0"],
    );
    assert_ne!(said(&light, "colours"), said(&dark, "colours"));
    let nasty = dom("nasty.html", &framed(&page(&NASTY.concat())), &[]);
    assert_eq!(said(&nasty, "pwned"), "false");
    assert!(width(&nasty) <= PHONE, "{} pixels wide", width(&nasty));
    // The same look at pages that are too wide, or broken out of.
    let wide = page("").replace("<main>", "<main><div style='width:500px'>wide</div>");
    assert!(width(&dom("wide.html", &framed(&wide), &[])) >= 500);
    let broken = page("").replace(
        "<main>",
        "<main><script>document.documentElement.dataset.pwned=1</script>",
    );
    assert_eq!(
        said(&dom("broken.html", &framed(&broken), &[]), "pwned"),
        "true"
    );
    let printed = folder.path().join("page.pdf");
    dom(
        "print.html",
        &page(&history),
        &[&format!("--print-to-pdf={}", printed.display())],
    );
    assert!(begins_as_pdf(&printed), "it can be printed");
}

fn begins_as_pdf(file: &Path) -> bool {
    std::fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"%PDF-"))
}
