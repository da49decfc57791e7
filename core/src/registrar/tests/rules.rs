//! RFC 3261 §10.3, rule by rule.

use super::*;
use insta::assert_snapshot;

#[test]
fn a_first_registration_lasts_as_long_as_configured() {
    let mut rig = Rig::new();
    assert_snapshot!(rig.register("Contact: <sip:1001@192.0.2.1:5060>"), @r"
    200
    Contact: <sip:1001@192.0.2.1:5060>;expires=3600
    * registered 1001 sip:1001@192.0.2.1:5060 for 3600 s
    ");
    assert_eq!(rig.targets(), ["sip:1001@192.0.2.1:5060 q1000"]);
}

#[test]
fn a_fetch_tells_every_contact_with_what_is_left_of_it() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:1001@192.0.2.1>;expires=600, <sip:1001@192.0.2.2>;q=0.25");
    rig.pass(100);
    assert_snapshot!(rig.register("CSeq: 2 REGISTER"), @r"
    200
    Contact: <sip:1001@192.0.2.1>;expires=500
    Contact: <sip:1001@192.0.2.2>;expires=3500;q=0.25
    ");
    assert_snapshot!(rig.register_as("1002", "CSeq: 1 REGISTER"), @"200");
}

#[test]
fn the_answer_is_dated() {
    let answer = Rig::new().answer("1001", b"");
    assert_eq!(answer.headers, b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
}

#[test]
fn a_refresh_begins_the_life_anew() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:1001@192.0.2.1>;expires=600");
    rig.pass(300);
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: <sip:1001@192.0.2.1>;expires=600"), @r"
    200
    Contact: <sip:1001@192.0.2.1>;expires=600
    * refreshed 1001 sip:1001@192.0.2.1 for 600 s
    ");
    assert_eq!(rig.registrar.len(), 1);
}

#[test]
fn the_parameter_counts_before_the_header_and_the_header_before_the_default() {
    let mut rig = Rig::with("1800");
    assert_snapshot!(rig.register("Contact: <sip:a@h>;expires=100, <sip:b@h>\nExpires: 200"), @r"
    200
    Contact: <sip:a@h>;expires=100
    Contact: <sip:b@h>;expires=200
    * registered 1001 sip:a@h for 100 s
    * registered 1001 sip:b@h for 200 s
    ");
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: <sip:a@h>, <sip:b@h>;expires=7200"), @r"
    200
    Contact: <sip:a@h>;expires=1800
    Contact: <sip:b@h>;expires=1800
    * refreshed 1001 sip:a@h for 1800 s
    * refreshed 1001 sip:b@h for 1800 s
    ");
}

#[test]
fn a_malformed_expiry_counts_as_an_hour_and_a_huge_one_as_the_most() {
    let mut rig = Rig::with("7200");
    assert_snapshot!(rig.register("Contact: <sip:a@h>;expires=soon, <sip:b@h>;expires=99999999999999"), @r"
    200
    Contact: <sip:a@h>;expires=3600
    Contact: <sip:b@h>;expires=7200
    * registered 1001 sip:a@h for 3600 s
    * registered 1001 sip:b@h for 7200 s
    ");
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: <sip:a@h>\nExpires: never"), @r"
    200
    Contact: <sip:a@h>;expires=3600
    Contact: <sip:b@h>;expires=7200
    * refreshed 1001 sip:a@h for 3600 s
    ");
}

#[test]
fn too_short_a_life_is_refused_and_nothing_else_of_the_request_done() {
    let mut rig = Rig::new();
    assert_snapshot!(rig.register("Contact: <sip:a@h>;expires=600, <sip:b@h>;expires=59"), @r"
    423
    Min-Expires: 60
    ");
    assert_eq!(rig.registrar.len(), 0);
    assert_snapshot!(rig.register("Contact: <sip:b@h>;expires=60"), @r"
    200
    Contact: <sip:b@h>;expires=60
    * registered 1001 sip:b@h for 60 s
    ");
    // The operator may want lives shorter than the minimum.
    assert_snapshot!(Rig::with("20").register("Contact: <sip:b@h>;expires=19"), @r"
    423
    Min-Expires: 20
    ");
    assert_snapshot!(Rig::with("20").register("Contact: <sip:b@h>;expires=60"), @r"
    200
    Contact: <sip:b@h>;expires=20
    * registered 1001 sip:b@h for 20 s
    ");
}

#[test]
fn one_contact_goes_by_expires_0() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:a@h>, <sip:b@h>");
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: <sip:a@h>;expires=0"), @r"
    200
    Contact: <sip:b@h>;expires=3600
    * unregistered 1001 sip:a@h for 0 s
    ");
    // Gone already: nothing to do, and no error.
    assert_snapshot!(rig.register("CSeq: 3 REGISTER\nContact: <sip:a@h>\nExpires: 0"), @r"
    200
    Contact: <sip:b@h>;expires=3600
    ");
}

#[test]
fn a_phone_replaces_its_old_contact_in_one_request() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:1001@192.0.2.1>");
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: <sip:1001@192.0.2.1>;expires=0, <sip:1001@192.0.2.9>"), @r"
    200
    Contact: <sip:1001@192.0.2.9>;expires=3600
    * unregistered 1001 sip:1001@192.0.2.1 for 0 s
    * registered 1001 sip:1001@192.0.2.9 for 3600 s
    ");
}

#[test]
fn a_star_removes_all() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:a@h>, <sip:b@h>");
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: *\nExpires: 0"), @r"
    200
    * unregistered 1001 sip:b@h for 0 s
    * unregistered 1001 sip:a@h for 0 s
    ");
    assert!(rig.targets().is_empty());
    assert_snapshot!(rig.register("CSeq: 3 REGISTER\nContact: *\nExpires: 0"), @"200");
}

#[test]
fn a_star_wants_expires_0_and_no_company() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:a@h>");
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: *"), @r#"
    400
    Warning: 399 crosspoint "Contact * needs Expires 0"
    "#);
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: *\nExpires: 60"), @r#"
    400
    Warning: 399 crosspoint "Contact * needs Expires 0"
    "#);
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: *, <sip:b@h>\nExpires: 0"), @r#"
    400
    Warning: 399 crosspoint "* beside another"
    "#);
    assert_eq!(rig.targets(), ["sip:a@h q1000"]);
}

#[test]
fn an_overtaken_request_changes_nothing() {
    let mut rig = Rig::new();
    rig.register("CSeq: 5 REGISTER\nContact: <sip:a@h>");
    assert_snapshot!(rig.register("CSeq: 5 REGISTER\nContact: <sip:b@h>, <sip:a@h>;expires=100"), @"500");
    assert_snapshot!(rig.register("CSeq: 4 REGISTER\nContact: <sip:a@h>;expires=0"), @"500");
    assert_snapshot!(rig.register("CSeq: 4 REGISTER\nContact: *\nExpires: 0"), @"500");
    assert_eq!(rig.targets(), ["sip:a@h q1000"]);
}

#[test]
fn another_call_id_may_count_from_anywhere() {
    let mut rig = Rig::new();
    rig.register("CSeq: 5 REGISTER\nContact: <sip:a@h>, <sip:b@h>");
    assert_snapshot!(rig.register("Call-ID: b\nCSeq: 1 REGISTER\nContact: <sip:a@h>;expires=100"), @r"
    200
    Contact: <sip:a@h>;expires=100
    Contact: <sip:b@h>;expires=3600
    * refreshed 1001 sip:a@h for 100 s
    ");
    // The star goes through all or none: a's binding is of this Call-ID and not older.
    assert_snapshot!(rig.register("Call-ID: b\nCSeq: 1 REGISTER\nContact: *\nExpires: 0"), @"500");
    assert_snapshot!(rig.register("Call-ID: c\nCSeq: 1 REGISTER\nContact: *\nExpires: 0"), @r"
    200
    * unregistered 1001 sip:b@h for 0 s
    * unregistered 1001 sip:a@h for 0 s
    ");
}

#[test]
fn contacts_are_compared_as_uris() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:%31001@Host.example;transport=udp;lr;x=1>");
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: <sip:1001@hOST.example;x=1;transport=UDP>"), @r"
    200
    Contact: <sip:1001@hOST.example;x=1;transport=UDP>;expires=3600
    * replaced 1001 sip:%31001@Host.example;transport=udp;lr;x=1 for 0 s
    * refreshed 1001 sip:1001@hOST.example;x=1;transport=UDP for 3600 s
    ");
    assert_snapshot!(rig.register("CSeq: 3 REGISTER\nContact: <sip:1001@host.example>"), @r"
    200
    Contact: <sip:1001@hOST.example;x=1;transport=UDP>;expires=3600
    Contact: <sip:1001@host.example>;expires=3600
    * registered 1001 sip:1001@host.example for 3600 s
    ");
    assert_snapshot!(rig.register("CSeq: 4 REGISTER\nContact: <sip:1001@host.example:5060>;expires=0"), @r"
    200
    Contact: <sip:1001@hOST.example;x=1;transport=UDP>;expires=3600
    Contact: <sip:1001@host.example>;expires=3600
    ");
}

#[test]
fn of_two_contacts_that_match_one_binding_the_second_is_bound_beside_it() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:a@h>");
    assert_snapshot!(rig.register("CSeq: 2 REGISTER\nContact: <sip:a@h;x=1>, <sip:a@h;x=2>"), @r"
    200
    Contact: <sip:a@h;x=1>;expires=3600
    Contact: <sip:a@h;x=2>;expires=3600
    * replaced 1001 sip:a@h for 0 s
    * refreshed 1001 sip:a@h;x=1 for 3600 s
    * registered 1001 sip:a@h;x=2 for 3600 s
    ");
    // Spelled the same goes before merely matching.
    assert_snapshot!(rig.register("CSeq: 3 REGISTER\nContact: <sip:a@h;x=1>;expires=0"), @r"
    200
    Contact: <sip:a@h;x=2>;expires=3600
    * unregistered 1001 sip:a@h;x=1 for 0 s
    ");
}

#[test]
fn of_one_contact_given_twice_the_later_counts() {
    let mut rig = Rig::new();
    assert_snapshot!(rig.register("Contact: <sip:a@h>;expires=0, <sip:a@h>;expires=100, <sip:b@h>"), @r"
    200
    Contact: <sip:a@h>;expires=100
    Contact: <sip:b@h>;expires=3600
    * registered 1001 sip:a@h for 100 s
    * registered 1001 sip:b@h for 3600 s
    ");
}

#[test]
fn targets_come_by_preference_and_then_the_most_recent_first() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:low@h>;q=0.1, <sip:first@h>;q=0.5");
    rig.pass(1);
    rig.register("CSeq: 2 REGISTER\nContact: <sip:second@h>;q=0.5, <sip:never@h>;q=0.0, <sip:odd@h>;q=often");
    assert_eq!(
        rig.targets(),
        ["sip:odd@h q1000", "sip:second@h q500", "sip:first@h q500", "sip:low@h q100", "sip:never@h q0"]
    );
    rig.pass(1);
    rig.register("CSeq: 3 REGISTER\nContact: <sip:first@h>;q=0.5");
    assert_eq!(rig.targets()[1], "sip:first@h q500");
}

#[test]
fn headers_in_a_contact_are_told_back_but_not_used() {
    let mut rig = Rig::new();
    assert_snapshot!(rig.register("Contact: <sip:a?b@h;x=1?Subject=you%20won&Replaces=z>, <sip:c@h?>"), @r"
    200
    Contact: <sip:a?b@h;x=1?Subject=you%20won&Replaces=z>;expires=3600
    Contact: <sip:c@h?>;expires=3600
    * registered 1001 sip:a?b@h;x=1?Subject=you%20won&Replaces=z for 3600 s
    * registered 1001 sip:c@h? for 3600 s
    ");
    assert_eq!(rig.targets(), ["sip:a?b@h;x=1 q1000", "sip:c@h q1000"]);
}

#[test]
fn what_cannot_be_called_is_refused() {
    let mut rig = Rig::new();
    assert_snapshot!(rig.register("Contact: <sip:a@h>, <tel:+15550100>"), @r#"
    400
    Warning: 399 crosspoint "Contact is no SIP URI"
    "#);
    assert_snapshot!(rig.register("Contact: <mailto:a@h>"), @r#"
    400
    Warning: 399 crosspoint "Contact is no SIP URI"
    "#);
    assert_snapshot!(rig.register("Contact: <sip:>"), @r#"
    400
    Warning: 399 crosspoint "a URI of a scheme only"
    "#);
    let status = |rig: &mut Rig, headers: &[u8]| rig.answer("1001", headers).status;
    assert_eq!(status(&mut rig, b"Contact: <sip:\xff@h>"), 400);
    assert_eq!(status(&mut rig, b"Contact: <sip:a@h>\nCall-ID: \xfe@h"), 400);
    assert_eq!(status(&mut rig, b"Contact: <sip:a@h>;+sip.instance=\"\x01\""), 400);
    assert_eq!(rig.registrar.len(), 0);
}

/// Behaviour 1(a): a Contact that only its own site can reach shows a translator, though the Via may not.
#[test]
fn where_a_phone_was_seen_and_what_shows_its_translator() {
    let mut rig = Rig::new();
    let seen = |rig: &Rig| rig.registrar.seen(b"1001", rig.cx.now).map(|(flow, evidence)| (flow, evidence.words()));
    assert_eq!(seen(&rig), None);
    rig.register("Contact: <sip:a@10.0.0.5>");
    assert_eq!(seen(&rig), Some((flow(5060), "contact".to_owned())));
    rig.wait(1);
    rig.register("CSeq: 2 REGISTER\r\nContact: <sip:b@192.0.2.1>");
    assert_eq!(seen(&rig), Some((flow(5060), String::new())), "the latest of equal q");
}
