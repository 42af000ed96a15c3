//! Pages on a phone and on paper, light and dark, as the browser of the other tests lays them out.

use std::path::Path;
use std::process::Output;

use super::browser::{browser, started};
use super::escaping::spoiled;
use super::{named, page, violated};

/// How wide a phone is, in pixels of a page.
const PHONE_WIDTH: u32 = 390;

/// The least contrast between a text and what is behind it that WCAG 2 allows (level AA).
const CONTRAST_MIN: f64 = 4.5;

/// What the browser says of a page in a frame that is as wide as a phone.
#[derive(Debug)]
struct Look {
    /// How wide the frame is, and how wide what is in it wants to be.
    width: u32,
    wanted: u32,
    /// How bright the background is, from 0 to 1, and the text.
    background: f64,
    text: f64,
    /// How many parts of the page are there and have a size.
    sections: usize,
}

/// A page around the frame, whose script measures it: the page's own policy lets no other run in it.
const FRAME: &str = r#"<!DOCTYPE html><meta name="color-scheme" content="light dark">
<iframe src="PAGE" style="border:0;width:WIDTHpx;height:800px"></iframe>
<script>
"use strict";
document.querySelector("iframe").onload = event => {
    const page = event.target.contentDocument, root = page.documentElement;
    const light = color => {
        const canvas = document.createElement("canvas").getContext("2d");
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const linear = [...canvas.getImageData(0, 0, 1, 1).data].map(byte =>
            byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const seen = getComputedStyle(page.body);
    const parts = [...page.querySelectorAll("h2")].filter(part => part.getClientRects().length > 0);
    document.documentElement.dataset.look = [root.clientWidth, root.scrollWidth,
        light(seen.backgroundColor), light(seen.color), parts.length].join(" ");
};
</script>"#;

fn looked_at(browser: &str, folder: &Path, page: &str, scheme: u8) -> Look {
    let (inner, outer) = (folder.join("page.html"), folder.join("frame.html"));
    std::fs::write(&inner, page).expect("the page is written");
    let frame = FRAME.replace("PAGE", "page.html");
    let frame = frame.replace("WIDTH", &PHONE_WIDTH.to_string());
    std::fs::write(&outer, frame).expect("the frame is written");
    let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
    let arguments = [
        "--dump-dom",
        "--allow-file-access-from-files",
        "--hide-scrollbars",
        &scheme,
    ];
    let Output { stdout, stderr, .. } = started(browser, &outer, folder, &arguments);
    let dom = String::from_utf8_lossy(&stdout).into_owned();
    let look = dom.split("data-look=\"").nth(1);
    let look = look.and_then(|rest| rest.split('"').next());
    let complaints = String::from_utf8_lossy(&stderr).into_owned();
    let look = look.unwrap_or_else(|| panic!("nothing was measured: {complaints}"));
    let fields: Vec<f64> = look.split(' ').map(|it| it.parse().expect(look)).collect();
    let [width, wanted, background, text, sections] = fields[..] else {
        panic!("five numbers: {look}");
    };
    Look {
        width: width as u32,
        wanted: wanted as u32,
        background,
        text,
        sections: sections as usize,
    }
}

fn contrast(look: &Look) -> f64 {
    let (more, less) = (
        look.background.max(look.text),
        look.background.min(look.text),
    );
    (more + 0.05) / (less + 0.05)
}

/// The headings of a document's outline, which a reader of PDF has from the browser.
fn headings(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf).into_owned();
    text.matches("/S /H2").count()
}

const DARK: u8 = 0;
const LIGHT: u8 = 1;

#[test]
fn a_page_fits_a_phone_in_light_and_dark_and_can_be_read_in_both() {
    let Some(browser) = browser() else { return };
    let workload = named("order~FencedStops");
    let story = page(&workload, &violated(&workload, "c1t1"));
    // Words without a place to break, as long as they get.
    let long = spoiled(&"w".repeat(300));
    let folder = tempfile::tempdir().expect("a folder is made");
    for page in [&story, &long] {
        for scheme in [LIGHT, DARK] {
            let look = looked_at(browser, folder.path(), page, scheme);
            assert_eq!(
                (look.width, look.wanted),
                (PHONE_WIDTH, PHONE_WIDTH),
                "{look:?}"
            );
            assert!(contrast(&look) >= CONTRAST_MIN, "{look:?}");
            assert_eq!(look.background > 0.5, scheme == LIGHT, "{look:?}");
            assert_eq!(look.sections, page.matches("<h2>").count(), "{look:?}");
        }
    }
    // The same look at pages that don't: they would have been noticed.
    let wide = story.replace("</body>", "<div style=\"width:900px\">x</div></body>");
    let look = looked_at(browser, folder.path(), &wide, LIGHT);
    assert!(look.wanted > PHONE_WIDTH, "{look:?}");
    let pale = story.replace("</style>", "body { color: #999; background: #aaa }</style>");
    assert!(contrast(&looked_at(browser, folder.path(), &pale, LIGHT)) < CONTRAST_MIN);
}

#[test]
fn a_page_is_printed_with_every_part_of_it() {
    let Some(browser) = browser() else { return };
    let workload = named("order~FencedStops");
    let story = page(&workload, &violated(&workload, "c1t1"));
    let folder = tempfile::tempdir().expect("a folder is made");
    let printed = |page: &str| {
        let (file, pdf) = (
            folder.path().join("page.html"),
            folder.path().join("page.pdf"),
        );
        std::fs::write(&file, page).expect("the page is written");
        let to = format!("--print-to-pdf={}", pdf.display());
        let Output { stderr, .. } = started(browser, &file, folder.path(), &[&to]);
        let complaints = String::from_utf8_lossy(&stderr).into_owned();
        std::fs::read(&pdf).unwrap_or_else(|error| panic!("{error}: {complaints}"))
    };
    let parts = story.matches("<h2>").count();
    assert!(parts > 4, "{parts}");
    assert_eq!(headings(&printed(&story)), parts);
    // A part that paper does not get would have been noticed.
    let hidden = story.replacen("<h2>", "<h2 style=\"display:none\">", 1);
    assert_eq!(headings(&printed(&hidden)), parts - 1);
}
