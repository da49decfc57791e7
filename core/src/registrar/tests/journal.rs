//! Restarts: what the journal told is taken back.

use super::*;

fn record(contact: &str, updated_s: u64, life_s: u64) -> BindingRecord {
    BindingRecord {
        aor: "1001".into(),
        contact: contact.into(),
        call_id: "c".into(),
        cseq: 1,
        q_permille: 1000,
        flow: flow(5060),
        behind_nat: false,
        path: String::new(),
        instance: String::new(),
        reg_id: 0,
        updated_at: START.plus(Duration::from_secs(updated_s)),
        expires_at: START.plus(Duration::from_secs(updated_s + life_s)),
    }
}

fn restored(records: &[BindingRecord]) -> Rig {
    let mut rig = Rig::new();
    for record in records {
        rig.registrar.restore(&mut rig.cx, record.clone());
        rig.check();
    }
    assert_eq!(rig.changes(), "", "the journal knows already");
    rig
}

#[test]
fn a_restored_binding_lives_on_for_what_was_left_of_it() {
    let mut rig = restored(&[record("sip:a@h", 0, 100)]);
    rig.wait(99);
    assert_eq!(rig.targets(), ["sip:a@h q1000"]);
    rig.wait(1);
    assert_eq!(rig.changes(), "* expired 1001 sip:a@h for 0 s\n");
}

#[test]
fn a_restored_binding_still_orders_requests() {
    let mut rig = restored(&[record("sip:a@h", 0, 100)]);
    assert_eq!(rig.register("Call-ID: c\nCSeq: 1 REGISTER\nContact: <sip:a@h>"), "500\n");
}

#[test]
fn the_latest_version_counts_in_whatever_order_they_come() {
    let old = record("sip:a@h", 0, 600);
    let new = BindingRecord { q_permille: 500, cseq: 2, ..record("sip:a@h", 10, 300) };
    for records in [[&old, &new, &new], [&new, &old, &new], [&new, &new, &old]] {
        let rig = restored(&records.map(Clone::clone));
        let (page, _) = rig.registrar.page(rig.cx.now, None, 9);
        assert_eq!(page.iter().collect::<Vec<_>>(), [&new]);
    }
}

#[test]
fn an_end_ends_what_is_older_than_it() {
    let binding = record("sip:a@h", 10, 600);
    let end = |updated_s| BindingRecord { expires_at: BindingRecord::ENDED, ..record("sip:a@h", updated_s, 0) };
    assert!(restored(&[binding.clone(), end(11)]).registrar.is_empty());
    // Of the same microsecond is a phone that came back at once.
    assert_eq!(restored(&[binding.clone(), end(10)]).registrar.len(), 1);
    assert_eq!(restored(&[binding.clone(), end(9)]).registrar.len(), 1);
    assert!(restored(&[end(11)]).registrar.is_empty());
}

#[test]
fn what_makes_no_sense_is_passed_over() {
    let mut elsewhere = record("sip:b@h", 0, 100);
    elsewhere.flow.socket = SocketId(99);
    let long = record(&"x".repeat(limits::BINDING_TEXT_BYTES), 0, 100);
    let over = record("sip:c@h", 0, 0);
    assert!(restored(&[elsewhere, long, over]).registrar.is_empty());
    let many: Vec<_> = (0..20).map(|n| record(&format!("sip:{n}@h"), 0, 100)).collect();
    assert_eq!(restored(&many).registrar.len(), limits::CONTACTS_PER_AOR);
}

#[test]
fn a_life_that_nobody_grants_is_cut() {
    let rig = restored(&[record("sip:a@h", 0, 1 << 40)]);
    let (page, _) = rig.registrar.page(rig.cx.now, None, 9);
    assert_eq!(page[0].expires_at, START.plus(Duration::from_secs(604_800)));
}

#[test]
fn versions_rise_though_the_wall_clock_steps_back() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:a@h>");
    rig.cx.now.wall = UnixMicros(START.0 - 3_600_000_000);
    rig.register("CSeq: 2 REGISTER\nContact: <sip:a@h>;q=0.5");
    let (page, _) = rig.registrar.page(rig.cx.now, None, 9);
    let now = rig.cx.now;
    let mut later = restored(&[record("sip:a@h", 0, 3600)]);
    later.cx.now.wall = now.wall;
    later.registrar.restore(&mut later.cx, page[0].clone());
    assert_eq!(later.targets(), ["sip:a@h q500"]);
}

#[test]
fn pages_tell_every_binding_once() {
    let mut rig = Rig::new();
    for phone in 0..10 {
        rig.register_as(&format!("{phone}"), "Contact: <sip:a@h>");
    }
    let (first, cursor) = rig.registrar.page(rig.cx.now, None, 4);
    rig.register_as("2", "CSeq: 2 REGISTER\nContact: *\nExpires: 0");
    rig.register_as("7", "CSeq: 2 REGISTER\nContact: *\nExpires: 0");
    let (second, cursor) = rig.registrar.page(rig.cx.now, cursor, 4);
    let (third, end) = rig.registrar.page(rig.cx.now, cursor, 4);
    assert_eq!(end, None);
    let all: String = [first, second, third].concat().into_iter().map(|binding| binding.aor).collect();
    assert_eq!(all, "012345689");
    assert_eq!(rig.registrar.page(rig.cx.now, Some(u64::MAX), 4), (vec![], None));
}
