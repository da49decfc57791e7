//! Records, what is held and what is told.

use super::trace::{Passes, Trace, record, started};
use crate::check::{Checks, Held, Lawful};
use crosspoint_core::cdr::{EndDirection, EndReason};
use crosspoint_core::counters::DropReason;
use crosspoint_core::event::Event;
use crosspoint_core::time::Instant;
use std::time::Duration;

#[test]
fn one_cdr() {
    let ended = || Passes::Tells(Event::CallEnded { record: Box::new(record()) });
    Trace::call().and(6000, ended()).violates("one-cdr");
    Trace::call().and(6000, Passes::Tells(started(2))).violates("one-cdr");
    Trace::call().and(0, Passes::Tells(started(1))).violates("one-cdr");
    Trace::default().and(0, ended()).violates("one-cdr");
    let mut unrecorded = Trace::call();
    unrecorded.0.retain(|(_, passes)| !matches!(passes, Passes::Tells(Event::CallEnded { .. })));
    unrecorded.violates("one-cdr");
}

#[test]
fn a_crash_cuts_off_and_nothing_more() {
    let crashed = |lost_ms, is_recorded: bool| {
        let mut trace = Trace::call();
        trace.0.retain(|(at, _)| *at < 5400);
        let trace = trace.and(4000, Passes::Crashes(lost_ms));
        let mut interrupted = record();
        interrupted.end_reason = EndReason::Interrupted;
        match is_recorded {
            true => trace.and(4000, Passes::Tells(Event::CallEnded { record: Box::new(interrupted) })),
            false => trace,
        }
    };
    crashed(1000, true).passes();
    crashed(1000, false).violates("one-cdr");
    crashed(3900, false).passes();
    crashed(3900, true).passes();
}

#[test]
fn cdr_agrees() {
    Trace::call().recorded(|record| record.sip_status = 486).violates("cdr-agrees");
    Trace::call().recorded(|record| record.answer_ms = None).violates("cdr-agrees");
    Trace::call().recorded(|record| record.call_id_in = "c9".into()).violates("cdr-agrees");
    Trace::call().recorded(|record| record.call_id_out = "c9".into()).violates("cdr-agrees");
}

#[test]
fn billing() {
    Trace::call().recorded(|record| record.hold_time_ms = 5101).violates("billing");
    Trace::call().recorded(|record| record.hold_time_s = 5).violates("billing");
    Trace::call().recorded(|record| record.end_direction = EndDirection::Callee).violates("billing");
    Trace::call().recorded(|record| record.invite_ms += 1).violates("billing");
    Trace::call().recorded(|record| record.answer_ms = record.answer_ms.map(|at| at + 1)).violates("billing");
    Trace::call().recorded(|record| record.end_ms -= 1).violates("billing");
}

#[test]
fn residue() {
    let held = |change: fn(&mut Held)| {
        let mut held = Held::default();
        change(&mut held);
        let violations = Trace::call().checks().finish(Instant::EPOCH, &mut std::iter::empty(), &held);
        violations.iter().filter(|violation| violation.check == "residue").count()
    };
    assert_eq!(held(|_| {}), 0);
    let each: [fn(&mut Held); 12] = [
        |held| held.calls = 1,
        |held| held.transactions = 1,
        |held| held.timers = 1,
        |held| held.orphaned_timers = 1,
        |held| held.dialog_names = 1,
        |held| held.has_load = true,
        |held| held.leases = 1,
        |held| held.lost_ports = 1,
        |held| held.missed_replies = 1,
        |held| held.unexpected_replies = 1,
        |held| held.sessions = 1,
        |held| held.sessions_of_shards = 1,
    ];
    for change in each {
        assert_eq!(held(change), 1);
    }
}

#[test]
fn memory() {
    let exceeds = |calls, transactions, timers, orphaned_timers| {
        let mut checks = Trace::call().checks();
        let now = Instant::EPOCH + Duration::from_secs(6);
        checks.holds(now, &Held { calls, transactions, timers, orphaned_timers, ..Held::default() });
        let violations = checks.finish(now, &mut std::iter::empty(), &Held::default());
        violations.iter().any(|violation| violation.check == "memory")
    };
    // INVITE and BYE on both sides, and one call that has just ended
    assert!(!exceeds(1, 4, 92, 0));
    assert!(exceeds(2, 0, 0, 0) && exceeds(0, 5, 0, 0) && exceeds(0, 0, 93, 0) && exceeds(0, 0, 0, 1));
    let mut checks = Trace::call().checks();
    checks.holds(Instant::EPOCH, &Held { lost_ports: 1, ..Held::default() });
    assert_eq!(checks.finish(Instant::EPOCH, &mut std::iter::empty(), &Held::default())[0].check, "memory");
}

#[test]
fn what_has_ended_is_forgotten() {
    let mut checks = Trace::call().checks();
    let counts = |checks: &Checks| [checks.server.len(), checks.client.len(), checks.legs.len()];
    assert_eq!(counts(&checks), [2, 2, 2]);
    for s in (6..300).step_by(10) {
        checks.holds(Instant::EPOCH + Duration::from_secs(s), &Held::default());
    }
    assert_eq!(counts(&checks), [0, 0, 0]);
    assert_eq!((checks.calls.open(), checks.calls.closing()), (0, 0));
}

#[test]
fn denied_event() {
    let dropped = |reason| Event::Dropped { reason, count: 1 };
    let refused = Event::AuthFailed { user: "x".into(), source: "10.0.1.1:5060".parse().unwrap(), rule: "auth.x" };
    let down = Event::TrunkChanged { gateway: "g".into(), state: "down", rule: "trunk.down", detail: String::new() };
    let lost = Event::GatewayLocated { gateway: "g".into(), host: "h".into(), addresses: vec![], rule: "dns.timeout" };
    for (event, lawful) in [
        (dropped(DropReason::BrokenRequest), Lawful::Drops(DropReason::BrokenRequest)),
        (dropped(DropReason::Overload), Lawful::Drops(DropReason::Overload)),
        (refused, Lawful::RefusedCredentials),
        (Event::PortsRefused { call: 1, why: "x" }, Lawful::PortTrouble),
        (down, Lawful::TrunkTrouble),
        (lost, Lawful::UnlocatedGateway),
    ] {
        Trace::default().and(0, Passes::Tells(event.clone())).violates("denied-event");
        let mut checks = Trace::default().checks();
        checks.permit(lawful);
        checks.event(Instant::EPOCH, &event);
        assert_eq!(checks.finish(Instant::EPOCH, &mut std::iter::empty(), &Held::default()), []);
    }
    Trace::default().and(0, Passes::Tells(dropped(DropReason::StrayAck))).passes();
}
