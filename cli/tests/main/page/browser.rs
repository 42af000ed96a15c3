//! Pages in a real browser, where one is installed; where a build server runs this it has to be.

use std::path::Path;
use std::process::{Command, Output};

use crashpoint_simulator::StoreKind;
use crashpoint_simulator::steps::Steps;

use super::escaping::{NASTY, spoiled};
use super::{named, page, page_with, violated};

/// What Chromium is called.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// The browser to look with; none where nobody asks for one.
pub(super) fn browser() -> Option<&'static str> {
    let answers = |name: &&&str| {
        let version = Command::new(name).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    };
    let found = NAMES.iter().find(answers).copied();
    assert!(
        found.is_some() || std::env::var_os("CI").is_none(),
        "no browser is installed: tried {NAMES:?}"
    );
    found
}

/// What the browser makes of a file, and what it complains about. Its profile is in the folder.
pub(super) fn started(browser: &str, file: &Path, folder: &Path, arguments: &[&str]) -> Output {
    Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--virtual-time-budget=2000",
        ])
        .args(arguments)
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("the browser runs")
}

#[test]
fn a_browser_shows_the_lanes_and_has_no_complaint() {
    let Some(browser) = browser() else { return };
    let workload = named("order~FencedStops");
    let run = violated(&workload, "c1t1");
    let folder = tempfile::tempdir().expect("a folder is made");
    let check = |name: &str, page: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, page).expect("the page is written");
        let Output { stdout, stderr, .. } = started(browser, &file, folder.path(), &["--dump-dom"]);
        let dom = String::from_utf8_lossy(&stdout).into_owned();
        let complaints = String::from_utf8_lossy(&stderr).into_owned();
        let complaints = complaints.lines().filter(|line| line.contains("CONSOLE"));
        (dom, complaints.map(str::to_owned).collect::<Vec<_>>())
    };
    let page = page(&workload, &run);
    let (dom, complaints) = check("page.html", &page);
    assert_eq!(complaints, [""; 0]);
    assert!(dom.contains("data-script=\"ran\""), "the script ran");
    assert!(dom.contains("class=\"lane l2\""), "the lanes are there");
    assert_eq!(dom.matches("<li ").count(), page.matches("<li ").count());
    // Nothing of a user's is run: each of these texts would set the attribute.
    let nasty: String = NASTY.concat();
    let (dom, complaints) = check("nasty.html", &spoiled(&nasty));
    assert_eq!(complaints, [""; 0]);
    assert!(dom.contains("data-script=\"ran\""), "our own script ran");
    assert!(!dom.contains("data-pwned"), "and no other");
    // The steps: one event is shown, and the controls are there.
    let steps = Steps::of(&run, StoreKind::Memory, &[]);
    let page_of_steps = page_with(&workload, &run, Some(&steps));
    let (dom, complaints) = check("steps.html", &page_of_steps);
    assert_eq!(complaints, [""; 0]);
    let last = steps.events.len() - 1;
    assert!(
        dom.contains(&format!(" of {last}</output>")),
        "the number of the event is shown"
    );
    assert!(
        dom.contains("<p class=\"controls\">"),
        "the controls are shown"
    );
    let events = dom.matches("<li data-from=").count();
    let hidden = dom.matches("hidden=\"\"><span class=\"range\">").count();
    assert!(
        0 < hidden && hidden < events,
        "{hidden} of {events} are hidden"
    );
    // The same look at a page that is broken: it would have been noticed.
    let broken = page.replace("\"use strict\";", "\"use strict\"; nobody.knows();");
    let (dom, complaints) = check("broken.html", &broken);
    assert!(!dom.contains("data-script=\"ran\""), "the script broke");
    assert!(!complaints.is_empty(), "and the browser says so");
}
