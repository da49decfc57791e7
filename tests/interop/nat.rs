//! Phones behind address translators, each on a host of its own: two behind different ones hear each other through the
//! relay, two behind the same one directly where the operator says that they can.

use crate::phone::{Answer, BARESIP, Phone};
use crate::{folder, turn};
use crosspoint_tests::process::{installed, until};
use crosspoint_tests::site::{Lab, Site};
use crosspoint_tests::switch::Switch;
use crosspoint_tests::tone;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const PROGRAMS: [&str; 3] = ["baresip", "ip", "nft"];

/// The switch, as the whole world can reach it (RFC 5737).
const SWITCH: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10));

/// What every router calls itself inside, and its phones.
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 7, 1));
const PHONES: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(192, 168, 7, 2)), IpAddr::V4(Ipv4Addr::new(192, 168, 7, 3))];

/// A router at this address outside, which translates.
fn router(lab: &mut Lab, name: &str, address: [u8; 4], switch: &Site) -> Site {
    let router = lab.host(name, address.into());
    lab.join([(&router, router.address), (switch, switch.address)]);
    lab.translate(&router, switch);
    router
}

/// A host behind it.
fn behind(lab: &mut Lab, router: &Site, name: &str, address: IpAddr) -> Site {
    let host = lab.host(name, address);
    lab.join([(&host, address), (router, INSIDE)]);
    host.run(&format!("ip route add default via {INSIDE}"));
    host
}

/// Both have the same private address, which leads nowhere outside; nor do the ports they name, since the translators
/// choose others.
#[test]
fn behind_two_translators_they_talk_through_the_relay() {
    let _turn = turn();
    if !installed(&PROGRAMS) {
        return;
    }
    let mut lab = Lab::new();
    let switch = lab.host("switch", SWITCH);
    let sites = [("left", [203, 0, 113, 21]), ("right", [203, 0, 113, 22])].map(|(name, address)| {
        let router = router(&mut lab, name, address, &switch);
        behind(&mut lab, &router, &format!("{name}-phone"), PHONES[0])
    });
    let shown = call("nat-two", &switch, sites, "", ("relay", "S7"));
    let own = format!("c=IN IP4 {SWITCH}");
    assert_eq!(shown, [own.clone(), own], "both are shown the switch");
}

/// Off says that two behind one address reach each other.
#[test]
fn behind_one_translator_they_talk_directly() {
    let _turn = turn();
    if !installed(&PROGRAMS) {
        return;
    }
    let mut lab = Lab::new();
    let switch = lab.host("switch", SWITCH);
    let router = router(&mut lab, "router", [203, 0, 113, 21], &switch);
    let sites = [("left", PHONES[0]), ("right", PHONES[1])];
    let sites = sites.map(|(name, address)| behind(&mut lab, &router, name, address));
    let also = "[parameters]\nSS_MEDIAPROXYSAMENAT = \"Off\"\n";
    let shown = call("nat-one", &switch, sites, also, ("direct", "S8"));
    let [caller, callee] = PHONES.map(|address| format!("c=IN IP4 {address}"));
    assert_eq!(shown, [callee, caller], "each is shown the other");
}

/// Two phones talk for some seconds; gives the `c=` lines that caller and callee were shown.
fn call(name: &str, site: &Site, sites: [Site; 2], also: &str, (media, rule): (&str, &str)) -> [String; 2] {
    let folder = folder(name);
    let mut switch = Switch::start_at(site, 5060, &folder, also);
    let [caller, callee] = &sites;
    let mut callee = Phone::prepare(&BARESIP, &folder, "u00002", 440.0, Answer::Plain).at(callee);
    let mut caller = Phone::prepare(&BARESIP, &folder, "u00001", 700.0, Answer::Plain).at(caller);
    for phone in [&mut callee, &mut caller] {
        phone.start(switch.address());
        phone.wait_for(BARESIP.registered);
    }
    // its spaces are for people
    let ask = |switch: &Switch, what| switch.ask(what).split_whitespace().collect::<String>();
    let explained = ask(&switch, "explain media --caller u00001 --callee u00002");
    let said = format!("\"media\":\"{media}\",\"rule\":\"{rule}\"");
    assert!(explained.contains(&said), "{said}: {explained}");
    caller.dial("u00002");
    callee.wait_for(BARESIP.is_called);
    callee.answer();
    for phone in [&mut caller, &mut callee] {
        phone.wait_for(BARESIP.talks);
    }
    for (phone, expected, other) in [(&caller, 440.0, 700.0), (&callee, 700.0, 440.0)] {
        let is_heard = |tone: &Vec<i16>| tone.len() == 8000 && tone::strength(tone, expected) > 1000.0;
        let heard = until(Duration::from_secs(10), || Some(phone.heard()).filter(is_heard));
        let heard = heard.unwrap_or_else(|| panic!("{} hears no {expected} Hz", phone.user));
        assert!(tone::strength(&heard, expected) > 10.0 * tone::strength(&heard, other), "{}", phone.user);
    }
    let calls = ask(&switch, "calls");
    let said = format!("\"media\":\"{media}\",\"media_rule\":\"{rule}\"");
    assert!(calls.contains(&said), "{said}: {calls}");
    caller.hang_up();
    for phone in [&mut caller, &mut callee] {
        phone.wait_for(BARESIP.is_free);
    }
    switch.wait_for_zero(&["calls"], Duration::from_secs(10));
    switch.stop();
    let records = switch.records();
    let [record] = &records[..] else { panic!("one CDR for the call: {records:?}") };
    assert_eq!([&record["media"], &record["media_rule"]], [media, rule]);
    // a phone sends 50 packets a second, and was heard for two
    let packets = ["rtp_caller_packets", "rtp_callee_packets"].map(|column| record[column].parse::<u32>().ok());
    match media {
        "relay" => assert!(packets.iter().all(|packets| packets.is_some_and(|count| count >= 100)), "{packets:?}"),
        _ => assert_eq!(packets, [None, None]),
    }
    [&caller, &callee].map(Phone::shown_host)
}
