//! The decision: the whole matrix of modes read aloud, and what holds of every call.

use super::super::{Nat, Needs, Switches};
use super::*;
use crate::nat::Evidence;
use quickcheck::{Arbitrary, Gen, quickcheck};
use std::net::IpAddr;

const MODES: [MediaProxy; 4] = [MediaProxy::Auto, MediaProxy::On, MediaProxy::Off, MediaProxy::MustOn];

fn side(mode: MediaProxy) -> Side {
    Side {
        mode,
        registers: true,
        is_encrypted: false,
        has_local_ring: false,
        is_watched: false,
        network: "default".to_owned(),
        source: None,
        nat: Nat::None,
    }
}

fn facts(mode: MediaProxy, caller: MediaProxy, callee: MediaProxy) -> Facts {
    Facts {
        switches: Switches { mode, between_net: true, behind_nat: true, same_nat: true },
        caller: side(caller),
        callee: side(callee),
        needs: Needs::NONE,
    }
}

fn auto() -> Facts {
    facts(MediaProxy::Auto, MediaProxy::Auto, MediaProxy::Auto)
}

fn behind(ip: &str) -> Nat {
    Nat::shown_by(Evidence { via: true, ..Evidence::default() }, ip.parse().unwrap())
}

fn rule_of(facts: &Facts) -> &'static str {
    decide(facts).rule.id()
}

#[test]
fn every_mode_with_every_mode() {
    let mut lines = String::new();
    for mode in MODES {
        for caller in MODES {
            for callee in MODES {
                let decision = decide(&facts(mode, caller, callee));
                let notes: Vec<&str> = decision.notes.iter().map(|note| note.name()).collect();
                let line = format!(
                    "{:7} {:7} {:7} {:6} {} {}",
                    mode.name(),
                    caller.name(),
                    callee.name(),
                    decision.outcome.name(),
                    decision.rule.id(),
                    notes.join(" ")
                );
                lines.push_str(line.trim_end());
                lines.push('\n');
            }
        }
    }
    insta::assert_snapshot!(format!("global  caller  callee\n{lines}"));
}

#[test]
fn each_rule_of_auto_in_its_turn() {
    assert_eq!(rule_of(&auto()), "S8");
    let change = |change: fn(&mut Facts)| {
        let mut facts = auto();
        change(&mut facts);
        rule_of(&facts)
    };
    assert_eq!(change(|facts| facts.callee.has_local_ring = true), "S4");
    assert_eq!(change(|facts| facts.caller.has_local_ring = true), "S8", "nobody hears the caller's ring");
    assert_eq!(change(|facts| facts.caller.is_encrypted = true), "S5");
    assert_eq!(change(|facts| (facts.caller.is_encrypted, facts.caller.registers) = (true, false)), "S8");
    assert_eq!(change(|facts| facts.callee.network = "lan".to_owned()), "S6");
    assert_eq!(change(|facts| facts.callee.source = "2001:db8::1".parse().ok()), "S6");
    assert_eq!(change(|facts| facts.callee.nat = behind("192.0.2.1")), "S7");
    assert_eq!(change(|facts| facts.needs = facts.needs.and(Need::Recording)), "F1");
}

#[test]
fn same_nat_counts_behind_one_address_alone() {
    let rule = |caller: &str, callee: &str, same_nat| {
        let mut facts = auto();
        (facts.caller.nat, facts.callee.nat) = (behind(caller), behind(callee));
        (facts.caller.source, facts.callee.source) = (caller.parse().ok(), callee.parse().ok());
        facts.switches.same_nat = same_nat;
        rule_of(&facts)
    };
    assert_eq!(rule("192.0.2.1", "192.0.2.1", true), "S7");
    assert_eq!(rule("192.0.2.1", "192.0.2.1", false), "S8");
    assert_eq!(rule("192.0.2.1", "192.0.2.2", false), "S7");
    assert_eq!(rule("2001:db8::1", "2001:db8::2", false), "S8", "one /64 is one site");
    assert_eq!(rule("2001:db8::1", "2001:db8:0:1::1", false), "S7");
    let mut off = auto();
    (off.caller.nat, off.switches.behind_nat) = (behind("192.0.2.1"), false);
    assert_eq!(rule_of(&off), "S8");
}

#[test]
fn off_is_never_overruled_but_told_what_it_breaks() {
    let mut facts = facts(MediaProxy::Auto, MediaProxy::Off, MediaProxy::On);
    facts.needs = facts.needs.and(Need::Crypto).and(Need::Recording);
    let decision = decide(&facts);
    assert_eq!((decision.outcome, decision.rule), (Outcome::Direct, Rule::S2));
    assert_eq!(decision.notes, [Note::DirectInfeasible]);
    facts.needs = Needs::NONE.and(Need::Recording);
    assert_eq!(decide(&facts).notes, [], "without a recording they still hear each other");
}

#[test]
fn an_explanation_reads() {
    let mut facts = auto();
    (facts.caller.nat, facts.caller.source) = (behind("198.51.100.7"), "198.51.100.7".parse().ok());
    let lines: Vec<String> = steps(&facts)
        .into_iter()
        .map(|step| format!("{} {} {}", step.rule.id(), if step.fires { "fires:" } else { "-" }, step.why))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

impl Arbitrary for Facts {
    fn arbitrary(g: &mut Gen) -> Facts {
        let mode = |g: &mut Gen| *g.choose(&MODES).unwrap();
        let side = |g: &mut Gen| {
            let ips: [IpAddr; 4] =
                ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"].map(|ip| ip.parse().unwrap());
            let evidence = Evidence {
                via: bool::arbitrary(g) && bool::arbitrary(g),
                contact: false,
                sdp: bool::arbitrary(g) && bool::arbitrary(g),
                alg: false,
            };
            Side {
                mode: mode(g),
                registers: bool::arbitrary(g),
                is_encrypted: bool::arbitrary(g) && bool::arbitrary(g),
                has_local_ring: bool::arbitrary(g) && bool::arbitrary(g),
                is_watched: false,
                network: (*g.choose(&["a", "a", "b"]).unwrap()).to_owned(),
                source: g.choose(&[None, None, Some(ips[0]), Some(ips[2])]).copied().flatten(),
                nat: Nat::shown_by(evidence, *g.choose(&ips).unwrap()),
            }
        };
        let needs = |g: &mut Gen| match bool::arbitrary(g) {
            true => Needs::NONE.and(*g.choose(&Need::ALL).unwrap()),
            false => Needs::NONE,
        };
        Facts {
            switches: Switches {
                mode: if bool::arbitrary(g) { MediaProxy::Auto } else { mode(g) },
                between_net: bool::arbitrary(g),
                behind_nat: bool::arbitrary(g),
                same_nat: bool::arbitrary(g),
            },
            caller: side(g),
            callee: side(g),
            needs: needs(g),
        }
    }
}

quickcheck! {
    /// Who calls whom makes no difference, but for the callee's local ring.
    fn the_rules_are_symmetric(facts: Facts) -> bool {
        let mut facts = facts;
        facts.caller.has_local_ring = facts.callee.has_local_ring;
        let turned = Facts { caller: facts.callee.clone(), callee: facts.caller.clone(), ..facts.clone() };
        decide(&facts) == decide(&turned)
    }

    /// What decides holds, nothing before it does, and the explanation says the same.
    fn the_first_rule_that_holds_decides(facts: Facts) -> bool {
        let decision = decide(&facts);
        let before = TABLE.iter().take_while(|(rule, _)| *rule != decision.rule);
        let fired: Vec<Rule> = steps(&facts).iter().filter(|step| step.fires).map(|step| step.rule).collect();
        decision.rule.holds(&facts) && before.into_iter().all(|(rule, _)| !rule.holds(&facts)) && fired == [decision.rule]
    }

    /// What the operator wrote with "never" and "always" stands.
    fn never_and_always_are_meant_so(facts: Facts) -> bool {
        let outcome = decide(&facts).outcome;
        match facts.switches.mode {
            MediaProxy::Off => outcome == Outcome::Direct,
            MediaProxy::On | MediaProxy::MustOn => outcome == Outcome::Relay,
            MediaProxy::Auto => !is_any(&facts, MediaProxy::MustOn) || outcome == Outcome::Relay,
        }
    }

    /// A need lifts S8 and nothing else.
    fn a_need_lifts_the_last_rule_alone(facts: Facts) -> bool {
        let without = decide(&Facts { needs: Needs::NONE, ..facts.clone() });
        let with = decide(&facts);
        with.rule == without.rule || (without.rule == Rule::S8 && with.rule.need().is_some())
    }
}
