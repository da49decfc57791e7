//! What the switch's packets are marked with, and where its descriptions lead, as tshark sees both on the wire: by IPv4
//! and IPv6, relayed and direct. The phones are on hosts of their own, so that each has an address of its own.

use crate::phone::{Answer, BARESIP, Phone};
use crate::{folder, turn};
use crosspoint_tests::capture::{Capture, Trace};
use crosspoint_tests::process::installed;
use crosspoint_tests::site::{Lab, Site};
use crosspoint_tests::switch::{PASSWORD, Switch};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The switch by IPv4 and by IPv6 (RFC 5737, RFC 3849).
const SWITCH: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// The ports of the relay.
const RELAY: RangeInclusive<u16> = 21_000..=21_199;

/// CS3 and EF (RFC 4594 §2.3), neither of them the default: the upper six bits of the octets 0x60 and 0xb8.
const SIGNALLING: u8 = 24;
const SPEECH: u8 = 46;

/// RTP packets each way: a fifth of a second.
const TALKING: usize = 10;

/// Users and addresses. With a `v` the relay is wanted.
const PHONES: [(&str, &str); 5] = [
    ("u00001", "192.0.2.11"),
    ("u00002", "192.0.2.12"),
    ("v00001", "192.0.2.13"),
    ("u00003", "2001:db8::11"),
    ("v00002", "2001:db8::12"),
];

/// Who calls whom and by which rule media goes: directly by the last of them.
const CALLS: [(usize, usize, &str); 4] = [(0, 1, "S8"), (0, 2, "S3"), (3, 4, "S3"), (3, 1, "S6")];

#[test]
fn packets_are_marked_and_descriptions_lead_where_media_goes() {
    let _turn = turn();
    if !installed(&["baresip", "tshark", "ip"]) {
        return;
    }
    let folder = folder("marks");
    let mut lab = Lab::new();
    let site = lab.host("switch", SWITCH[0]);
    let mut phones = PHONES.map(|(user, address)| {
        let host = lab.host(user, address.parse().expect("an address"));
        lab.join([(&host, host.address), (&site, switch_for(&host))]);
        Phone::prepare(&BARESIP, &folder, user, 440.0, Answer::Plain).at(&host)
    });
    let also = format!(
        "[parameters]\nSS_RTP_PORT_RANGE = \"{},{}\"\nSS_QOS_SIGNAL = \"0x60\"\nSS_QOS_RTP = \"0xb8\"\n\n\
         [[listen]]\ntransport = \"udp\"\nbind = \"[{}]:5060\"\n\n\
         [[phone]]\nusers = \"v00000..v00009\"\npassword = \"{PASSWORD}\"\nmedia_proxy = \"On\"\n\n",
        RELAY.start(),
        RELAY.end(),
        SWITCH[1],
    );
    let mut switch = Switch::start_at(&site, 5060, &folder, &also);
    let mut ports = vec![switch.port..=switch.port, RELAY];
    ports.extend(phones.iter().map(|phone| phone.media.clone()));
    let mut capture = Capture::start_at(&site, &folder, &ports);
    for phone in &mut phones {
        phone.start((switch_for(&phone.site), switch.port).into());
        phone.wait_for(BARESIP.registered);
    }
    for (caller, callee, rule) in CALLS {
        let Ok([caller, callee]) = phones.get_disjoint_mut([caller, callee]) else { panic!("two phones") };
        talk(&capture, rule, caller, callee);
        let trace = capture.cut();
        is_marked(&trace, switch.port, rule);
        leads(&trace, switch.port, rule, [caller, callee]);
    }
    switch.wait_for_zero(&["calls"], Duration::from_secs(10));
    switch.stop();
    let rules: Vec<_> = switch.records().iter().map(|record| record["media_rule"].clone()).collect();
    assert_eq!(rules, CALLS.map(|(_, _, rule)| rule));
}

/// Where a host reaches the switch.
fn switch_for(host: &Site) -> IpAddr {
    SWITCH[usize::from(host.address.is_ipv6())]
}

fn is_relayed(rule: &str) -> bool {
    rule != "S8"
}

/// One call, until both hear something. What goes directly does not pass the capture.
fn talk(capture: &Capture, rule: &str, caller: &mut Phone, callee: &mut Phone) {
    caller.dial(callee.user);
    callee.wait_for(BARESIP.is_called);
    callee.answer();
    for phone in [&mut *caller, &mut *callee] {
        phone.wait_for(BARESIP.talks);
    }
    let heard = !is_relayed(rule)
        || capture.wait_for(Duration::from_secs(10), |trace| {
            [&caller.media, &callee.media].iter().all(|to| trace.speech(&RELAY, to) >= TALKING)
        });
    assert!(heard, "{} and {} do not hear each other", caller.user, callee.user);
    caller.hang_up();
    caller.wait_for(BARESIP.is_free);
    callee.wait_for(BARESIP.is_free);
}

/// All that the switch has sent bears its mark.
fn is_marked(trace: &Trace, signalling: u16, rule: &str) {
    let marked = |of: &dyn Fn(u16) -> bool, mark: u8| {
        let packets: Vec<_> = trace.0.iter().filter(|packet| of(packet.from)).collect();
        packets.iter().for_each(|packet| assert_eq!(packet.dscp, mark, "{packet:?}"));
        packets.len()
    };
    let messages = marked(&|port| port == signalling, SIGNALLING);
    assert!(messages >= 6, "INVITE, 180, 200, ACK, BYE, 200: {messages}");
    // RTCP too
    let packets = marked(&|port| RELAY.contains(&port), SPEECH);
    assert_eq!(packets >= 2 * TALKING, is_relayed(rule), "{packets} packets relayed");
}

/// Every `c=` line that the switch has shown leads to it where it relays, else to the other phone.
fn leads(trace: &Trace, signalling: u16, rule: &str, phones: [&Phone; 2]) {
    let line = |address: IpAddr| format!("IN {} {address}", if address.is_ipv6() { "IP6" } else { "IP4" });
    for (phone, other) in [(phones[0], phones[1]), (phones[1], phones[0])] {
        let expected = line(if is_relayed(rule) { switch_for(&phone.site) } else { other.site.address });
        let to_it = trace.messages().filter(|(packet, _)| packet.from == signalling && packet.to == phone.port);
        let shown: Vec<&str> = to_it.map(|(_, sip)| sip.connection.as_str()).filter(|line| !line.is_empty()).collect();
        assert!(!shown.is_empty() && shown.iter().all(|shown| *shown == expected), "{}: {shown:?}", phone.user);
    }
}
