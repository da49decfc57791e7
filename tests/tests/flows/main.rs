//! The message flows that RFCs print, played through the switch: both ends' messages as printed, the switch in the middle
//! instead of the RFC's proxies.
//!
//! `script.rs` says how a flow is written down, `adapt.rs` what of a printed message is changed and why, `check.rs` what
//! must hold for every message that leaves the switch. A ladder for each flow is in `snapshots/`.

mod adapt;
mod calls;
mod check;
mod offers;
mod own;
mod peer;
mod places;
mod print;
mod rfc3261;
mod rfc3665;
mod ring;
mod script;
#[path = "../../../core/tests/shared/mod.rs"]
mod shared;
mod stage;
mod text;
mod transfer;

use print::Prints;
use script::Flow;
use std::collections::BTreeSet;

/// The flows of an RFC.
type Table = (&'static str, &'static [&'static [Flow<'static>]]);

/// Every RFC of which messages are printed in the shared data.
const TABLES: &[Table] = &[
    ("rfc3261", &[rfc3261::EXAMPLES, rfc3261::ELSEWHERE]),
    ("rfc3325", &[calls::RFC3325]),
    ("rfc3327", &[places::RFC3327]),
    ("rfc3515", &[transfer::RFC3515]),
    ("rfc3581", &[places::RFC3581]),
    ("rfc3665", &[rfc3665::REGISTRATIONS, rfc3665::SESSIONS]),
    ("rfc3891", &[transfer::RFC3891]),
    ("rfc3892", &[transfer::RFC3892]),
    ("rfc4028", &[calls::RFC4028]),
    ("rfc4235", &[calls::RFC4235]),
    ("rfc5393", &[places::RFC5393]),
    ("rfc5626", &[places::RFC5626]),
    ("rfc6140", &[places::RFC6140]),
    ("rfc7118", &[calls::RFC7118]),
    ("rfc8224", &[calls::RFC8224]),
];

/// Plays every flow of an RFC and compares its ladder.
fn play_all(rfc: &str, flows: &[Flow<'_>]) {
    let prints = Prints::of(rfc);
    if prints.is_empty() {
        return;
    }
    play_each(rfc, flows, &prints);
}

fn play_each(rfc: &str, flows: &[Flow<'_>], prints: &Prints) {
    for flow in flows {
        let Flow { section, variant, about, .. } = flow;
        let name = format!("{rfc}-{section}{variant}");
        let ladder = stage::play(flow, prints, &format!("{name}: {about}"));
        insta::assert_snapshot!(name, ladder);
    }
}

#[test]
fn our_own() {
    play_each("own", own::FLOWS, &Prints::none());
    play_each("own", transfer::OWN, &Prints::none());
}

#[test]
fn local_ring() {
    play_each("ring", ring::FLOWS, &Prints::none());
}

#[test]
fn rfc3665_registrations() {
    play_all("rfc3665", rfc3665::REGISTRATIONS);
}

#[test]
fn rfc3665_sessions() {
    play_all("rfc3665", rfc3665::SESSIONS);
}

#[test]
fn rfc3261_examples() {
    play_all("rfc3261", rfc3261::EXAMPLES);
}

#[test]
fn every_printed_message_has_its_place() {
    let known: Vec<&str> = TABLES.iter().map(|(rfc, _)| *rfc).collect();
    assert!(print::rfcs().iter().all(|rfc| known.contains(&rfc.as_str())), "not in any table: {:?}", print::rfcs());
    let mut missing = Vec::new();
    for (rfc, tables) in TABLES {
        let prints = Prints::of(rfc);
        if prints.is_empty() {
            return;
        }
        let flows = || tables.iter().copied().flatten();
        let named: BTreeSet<&str> = flows()
            .flat_map(|flow| flow.references().into_iter().map(|reference| prints.name(flow.section, &reference)))
            .collect();
        missing.extend(prints.names().filter(|name| !named.contains(name)).map(|name| format!("{rfc}/{name}")));
    }
    assert!(missing.is_empty(), "not in any table: {missing:#?}");
}

#[test]
fn rfc3261_elsewhere() {
    play_all("rfc3261", rfc3261::ELSEWHERE);
}

/// One test an RFC.
macro_rules! plays {
    ($($rfc:ident: $table:expr;)*) => {$(
        #[test]
        fn $rfc() {
            play_all(stringify!($rfc), $table);
        }
    )*};
}

plays! {
    rfc3325: calls::RFC3325;
    rfc3327: places::RFC3327;
    rfc3515: transfer::RFC3515;
    rfc3581: places::RFC3581;
    rfc3891: transfer::RFC3891;
    rfc3892: transfer::RFC3892;
    rfc4028: calls::RFC4028;
    rfc4235: calls::RFC4235;
    rfc5393: places::RFC5393;
    rfc5626: places::RFC5626;
    rfc6140: places::RFC6140;
    rfc7118: calls::RFC7118;
    rfc8224: calls::RFC8224;
}
