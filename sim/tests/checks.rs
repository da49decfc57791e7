//! The page of the checks against the catalogue.

use crosspoint_sim::check::CATALOGUE;
use std::path::Path;

fn page() -> String {
    let mut page = "# What is checked in every simulated world\n\nThe checks see every datagram that the switch takes and \
        sends, in its order, and every event it tells. They are written from the RFCs and share no SIP code with the \
        core. What a world does not declare lawful (`Checks::permit`) is a violation. Whatever was under way when the \
        switch is killed is void: calls that were up have a record `interrupted`, which may be missing where the answer \
        stood in the lost part of the journal. Written from `sim/src/check/catalogue.rs`.\n\n| check | demands | from \
        |\n|---|---|---|\n"
        .to_owned();
    for (id, demands, source) in CATALOGUE {
        page.push_str(&format!("| `{id}` | {demands} | {source} |\n"));
    }
    page
}

/// Written anew by `UPDATE_DOCS=1 cargo test -p crosspoint-sim --test checks`.
#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/checks.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, page()).expect("docs/checks.md can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/checks.md is there");
    assert!(written == page(), "docs/checks.md is out of date; UPDATE_DOCS=1 writes it anew");
}
