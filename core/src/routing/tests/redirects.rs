//! From the contacts of a 3xx to further ways.

use super::redirect::{Contact, Course, Redirected, contacts, follow};
use super::*;
use crate::sip::{Index, Scanned, scan};

const CONFIG: &str = "[switch]\ndomain = \"example.net\"\n[[phone]]\nusers = \"1001..1009\"\npassword = \"x\"\n\
    [[gateway]]\nname = \"out\"\ndirection = \"routing\"\npeers = [\"198.51.100.1\", \"198.51.100.2:5070\", \"gw.example\"]\n\
    prefixes = [\"00\"]\nrewrite_callee = [{ prefix = \"00\", replace = \"+\" }]\n";

fn started() -> World {
    let mut world = world(CONFIG);
    world.register("1002", "192.0.2.22:5060", 1000);
    world.register("1003", "192.0.2.23:5060", 1000);
    world.register("1003", "192.0.2.33:5060", 500);
    world
}

fn contact(uri: &str) -> Contact<'_> {
    Contact { uri: uri.as_bytes(), q_permille: 1000 }
}

/// What follows where 1002 redirects a call of 1001's to these contacts.
fn redirected(world: &World, policy: Redirect, status: u16, followed: u8, uris: &[&str]) -> Redirected {
    let caller = phone("1001");
    let mut from = world.plan(&caller, "1002").ways.remove(0);
    from.policy.redirect = policy;
    let contacts: Vec<Contact<'_>> = uris.iter().map(|uri| contact(uri)).collect();
    let course = Course { from: &from, ways: &[&from], followed };
    world.with_facts(|facts| follow(facts, &caller, course, status, &contacts))
}

#[test]
fn our_numbers_and_our_gateways_are_called() {
    let world = started();
    let uris = [
        "sip:1003@example.net",
        "sip:0049123@192.0.2.10:5060",
        "tel:+44-20",
        "sip:%2B4930@198.51.100.2:5070;user=phone",
        "sip:x@198.51.100.99",
        "sip:a@b.example",
        "sip:004420@GW.example",
        "sip:a@198.51.100.99;transport=tcp",
        "sips:1003@198.51.100.99",
        "mailto:a@b",
        "sip:1004@EXAMPLE.net",
        "sip:1003@192.0.2.10",
    ];
    let result = redirected(&world, Redirect::Follow, 302, 0, &uris);
    let steps: Vec<String> = result.steps.iter().map(ToString::to_string).collect();
    let ways: Vec<String> = result
        .ways
        .iter()
        .map(|way| format!("{} {} {}", way.round, way.describe(), String::from_utf8_lossy(&way.target().uri)))
        .collect();
    insta::assert_snapshot!(format!("{}\n\n{}", steps.join("\n"), ways.join("\n")));
    assert_eq!(result.uses.phones, ["1003"]);
    assert!(!result.is_passed);
}

#[test]
fn anywhere_is_anywhere_that_can_be_sent_to() {
    let world = started();
    let uris = ["sip:x@198.51.100.99:5070;a=b?Subject=c", "sip:x@Other.example:5080"];
    let result = redirected(&world, Redirect::Anywhere, 302, 0, &uris);
    let targets: Vec<&[u8]> = result.ways.iter().map(|way| &*way.target().uri).collect();
    assert_eq!(targets, [&b"sip:x@198.51.100.99:5070;a=b"[..], b"sip:x@Other.example:5080"]);
    let name = crate::dns::Name { port: Some(5080), ..crate::dns::Name::host("other.example") };
    assert_eq!(result.ways[1].target().hop, Hop::Name(name), "where it leads is asked when it is called");
    assert_eq!(result.ways[0].policy.redirect, Redirect::Anywhere);
}

#[test]
fn the_caller_gets_it_by_policy_and_where_it_names_no_place() {
    let world = started();
    for (policy, status, is_passed) in [
        (Redirect::Pass, 302, true),
        (Redirect::Follow, 305, true),
        (Redirect::Follow, 380, true),
        (Redirect::Follow, 300, false),
        (Redirect::Anywhere, 301, false),
    ] {
        let result = redirected(&world, policy, status, 0, &["sip:1003@example.net"]);
        assert_eq!((result.is_passed, result.ways.is_empty()), (is_passed, is_passed), "{policy:?} {status}");
    }
}

#[test]
fn loops_end() {
    let world = started();
    let rules = |result: &Redirected| result.steps.last().map(|step| step.rule);
    let back = redirected(&world, Redirect::Follow, 302, 0, &["sip:1002@example.net"]);
    assert_eq!((back.ways.len(), rules(&back)), (0, Some(Rule::RedirectLoop)));
    let often = redirected(&world, Redirect::Follow, 302, limits::REDIRECTS_PER_CALL, &["sip:1003@example.net"]);
    assert_eq!((often.ways.len(), rules(&often)), (0, Some(Rule::RedirectEnough)));
    let gone = redirected(&world, Redirect::Follow, 302, 0, &["sip:1009@example.net"]);
    assert_eq!((gone.ways.len(), rules(&gone)), (0, Some(Rule::RedirectRefused)));
}

#[test]
fn contacts_are_read_best_first() {
    let text = b"SIP/2.0 302 Moved Temporarily\r\nContact: <sip:b@x>;q=0.5, \"A\" <sip:a@x>, <sip:c@x>;q=0.7\r\n\
                 Contact: <broken, <sip:d@x>;q=9\r\n\r\n";
    let mut index = Index::default();
    let Ok(Scanned::Message(message)) = scan(text, &mut index) else { panic!("no message") };
    let found: Vec<(&[u8], u16)> = contacts(&message).iter().map(|c| (c.uri, c.q_permille)).collect();
    assert_eq!(found[0], (&b"sip:a@x"[..], 1000));
    assert!(found.contains(&(&b"sip:c@x"[..], 700)) && found.contains(&(&b"sip:b@x"[..], 500)));
    assert!(found.is_sorted_by_key(|(_, q)| std::cmp::Reverse(*q)));
}
