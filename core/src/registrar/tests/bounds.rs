//! What the registrar does not take.

use super::*;
use insta::assert_snapshot;

#[test]
fn an_address_of_record_has_so_many_contacts_and_no_more() {
    let mut rig = Rig::new();
    let contact = |number: usize| format!("<sip:{number}@h>;expires={}", 100 + number);
    for number in 0..limits::CONTACTS_PER_AOR {
        assert!(rig.register(&format!("CSeq: {number} REGISTER\nContact: {}", contact(number))).starts_with("200"));
    }
    // The first goes after 100 seconds.
    assert_snapshot!(rig.register(&format!("CSeq: 20 REGISTER\nContact: {}", contact(10))), @r"
    503
    Retry-After: 100
    ");
    // Refreshes and exchanges are welcome.
    assert!(rig.register(&format!("CSeq: 20 REGISTER\nContact: {}", contact(3))).starts_with("200"));
    let exchange = format!("CSeq: 21 REGISTER\nContact: <sip:4@h>;expires=0, {}", contact(11));
    assert!(rig.register(&exchange).starts_with("200"));
    assert_eq!(rig.registrar.len(), limits::CONTACTS_PER_AOR);
}

#[test]
fn a_request_has_so_many_contacts_and_no_more() {
    let mut rig = Rig::new();
    let contacts = |count: usize| (0..count).map(|n| format!("Contact: <sip:{n}@h>;expires=0\n")).collect::<String>();
    assert!(rig.register(&contacts(limits::CONTACTS_PER_REGISTER)).starts_with("200"));
    assert_snapshot!(rig.register(&contacts(limits::CONTACTS_PER_REGISTER + 1)), @r#"
    400
    Warning: 399 crosspoint "too many Contact values"
    "#);
}

#[test]
fn a_binding_has_so_much_text_and_no_more() {
    let contact = |bytes: usize| format!("Contact: <sip:{}@h>", "a".repeat(bytes - "sip:@h".len()));
    let room = limits::BINDING_TEXT_BYTES - "1001".len() - "a".len();
    assert!(Rig::new().register(&contact(room)).starts_with("200"));
    assert_snapshot!(Rig::new().register(&contact(room + 1)), @"513");
}
