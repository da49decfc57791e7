//! Every check against a trace that breaks it and against one that does not: a check that cannot fail is a defect.

mod dialogs;
mod media;
mod messages;
mod records;
mod trace;
mod transactions;

use super::CATALOGUE;
use std::collections::BTreeSet;

#[test]
fn ids_are_single_and_every_one_says_what_it_demands() {
    let ids: BTreeSet<&str> = CATALOGUE.iter().map(|(id, ..)| *id).collect();
    assert_eq!(ids.len(), CATALOGUE.len());
    for (id, demands, source) in CATALOGUE {
        assert!(demands.ends_with('.') && !source.is_empty(), "{id}");
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{id}");
    }
}
