//! The page on routing against the code: every rule, and every key that the configuration takes.
#![expect(clippy::disallowed_methods, reason = "the ban is for the core; this test reads a page")]

use crosspoint_core::routing::Rule;
use std::path::Path;

const MARK: &str = "<!-- written from core/src/routing/rule.rs";

/// The rules as the page has them.
fn rules() -> String {
    let mut text = "\n| rule | verdict | when |\n|---|---|---|\n".to_owned();
    for rule in Rule::ALL {
        let help = rule.help().split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("| `{rule}` | {} | {help} |\n", rule.verdict().name()));
    }
    text
}

/// Written anew by `UPDATE_DOCS=1 cargo test -p crosspoint-core --test routing`.
#[test]
fn the_page_has_every_rule() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/routing.md");
    let written = std::fs::read_to_string(&path).expect("docs/routing.md is there");
    let mark = written.find(MARK).expect("the page says where the rules stand");
    let line = mark + written[mark..].find('\n').expect("the mark is a line") + 1;
    let page = format!("{}{}", &written[..line], rules());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/routing.md can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/routing.md is there");
    assert!(written == page, "docs/routing.md is out of date; UPDATE_DOCS=1 writes it anew");
}

/// The keys of routing are those that the parser's own list has.
#[test]
fn the_page_has_every_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/routing.md");
    let page = std::fs::read_to_string(path).expect("docs/routing.md is there");
    for key in crosspoint_core::config::ROUTING_KEYS {
        assert!(page.contains(&format!("`{key}`")), "{key} is not on the page");
    }
    for key in ["max_calls", "priority", "capacity", "order"] {
        assert!(page.contains(&format!("| `{key}`")), "{key} is not on the page");
    }
}
