//! How bindings end by themselves.

use super::*;
use insta::assert_snapshot;

#[test]
fn a_binding_ends_when_its_time_is_up() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:a@h>;expires=100, <sip:b@h>;expires=200");
    rig.wait(99);
    assert_eq!(rig.changes(), "");
    rig.wait(1);
    assert_snapshot!(rig.changes(), @"* expired 1001 sip:a@h for 0 s");
    assert_eq!(rig.targets(), ["sip:b@h q1000"]);
    rig.wait(100);
    assert_snapshot!(rig.changes(), @"* expired 1001 sip:b@h for 0 s");
    assert!(rig.registrar.is_empty());
    assert!(rig.cx.timers.is_empty());
}

#[test]
fn a_binding_whose_timer_is_late_is_over_all_the_same() {
    let mut rig = Rig::new();
    rig.register("CSeq: 7 REGISTER\nContact: <sip:a@h>;expires=100");
    rig.pass(100);
    assert!(rig.targets().is_empty());
    // A binding that is over does not order later requests either.
    assert_snapshot!(rig.register("CSeq: 7 REGISTER\nContact: <sip:a@h>"), @r"
    200
    Contact: <sip:a@h>;expires=3600
    * expired 1001 sip:a@h for 0 s
    * registered 1001 sip:a@h for 3600 s
    ");
}

#[test]
fn a_spurious_firing_changes_nothing() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:a@h>");
    rig.changes();
    rig.cx.timers.pop_due(Instant::FAR_FUTURE);
    rig.registrar.fire(&mut rig.cx);
    rig.check();
    assert_eq!(rig.changes(), "");
}

#[test]
fn a_herd_that_ends_together_ends_in_portions() {
    let mut rig = Rig::new();
    let herd = limits::EXPIRIES_PER_TIMER * 3;
    for phone in 0..herd {
        rig.register_as(&format!("{phone}"), "Contact: <sip:a@h>;expires=60");
    }
    rig.pass(60);
    for portion in 1..=3 {
        assert!(rig.cx.timers.pop_due(rig.cx.now.mono).is_some());
        rig.registrar.fire(&mut rig.cx);
        rig.check();
        assert_eq!(rig.registrar.len(), herd - portion * limits::EXPIRIES_PER_TIMER);
    }
    assert!(rig.cx.timers.is_empty());
}
