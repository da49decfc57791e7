//! Traffic that others recorded: every SIP message in it scans, and what is written back means the same.

mod capture;
mod copied;
mod shared;

use crosspoint_core::sip::{self, Index, Message, Name, Scanned};

/// The captures and how many SIP messages an independent dissector (tshark) counts in each.
const CAPTURES: &[(&str, usize)] = &[
    ("auth-and-errors/metasploit-sip-invite-spoof.pcap", 2),
    ("auth-and-errors/sip-488-codec-reject.pcapng", 13),
    ("auth-and-errors/sip-auth-failure.pcapng", 8),
    ("auth-and-errors/sip-register.pcap", 2),
    ("calls/DTMFsipinfo.pcap", 32),
    ("calls/b2bua-asterisk.pcapng", 60),
    ("calls/codec-negotiation.pcap", 10),
    ("calls/register-invite-reinvite-bye.pcap", 12),
    ("calls/sip-proxy.pcap", 11),
    ("calls/sip-rtp-g711.pcap", 10),
    ("calls/sip-rtp-g729a.pcap", 6),
    ("h323/h323.pcap", 0),
    ("stun-rtcp/stun_classic.pcap", 0),
    ("transport/ipv6frag.pcap", 32),
    ("transport/sip-compact-form_sip_compact_form.pcap", 1),
    ("transport/sip-over-tcp.pcap", 7),
    ("transport/sip-tcp-pattern-matching_sip.pcap", 2),
];

/// Runs `then` on each SIP message of each capture.
fn each_message(mut then: impl FnMut(&str, &Message<'_>)) {
    let files = shared::files("pcaps", &[".pcap", ".pcapng"]);
    let mut index = Index::default();
    for (name, count) in CAPTURES {
        let Some((_, bytes)) = files.iter().find(|(path, _)| path == &format!("pcaps/{name}")) else {
            assert!(files.is_empty(), "{name} is not there");
            return;
        };
        let mut seen = 0;
        for payload in capture::payloads(bytes) {
            let scanned = sip::scan(&payload, &mut index);
            if !has_sip_start_line(&payload) {
                assert!(!is_accepted(scanned), "{name}: RTP, STUN or the like was taken for SIP: {payload:?}");
                continue;
            }
            let Ok(Scanned::Message(message)) = scanned else {
                panic!("{name}: does not scan:\n{}", String::from_utf8_lossy(&payload));
            };
            seen += 1;
            then(name, &message);
        }
        assert_eq!(seen, *count, "SIP messages in {name}");
    }
}

fn has_sip_start_line(payload: &[u8]) -> bool {
    let line = payload.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.windows(7).any(|at| at == b"SIP/2.0")
}

fn is_accepted(scanned: Result<Scanned<'_>, sip::ScanError>) -> bool {
    matches!(scanned, Ok(Scanned::Message(message)) if sip::check(&message).is_ok())
}

#[test]
fn every_recorded_message_scans_and_is_written_back_with_the_same_meaning() {
    let mut index = Index::default();
    each_message(|name, message| {
        let copy = copied::written_back(message);
        let Ok(Scanned::Message(again)) = sip::scan(&copy, &mut index) else {
            panic!("{name}: does not scan:\n{}", String::from_utf8_lossy(&copy));
        };
        assert_eq!(format!("{:?}", message.start()), format!("{:?}", again.start()), "{name}");
        assert!(fields(message).eq(fields(&again)), "{name}: fields differ:\n{}", String::from_utf8_lossy(&copy));
        assert_eq!(message.body(), again.body(), "{name}");
        assert_eq!(again.value(Name::ContentLength), Some(again.body().len().to_string().as_bytes()), "{name}");
    });
}

fn fields<'m>(message: &Message<'m>) -> impl Iterator<Item = (Name, &'m [u8], &'m [u8])> {
    let others = message.headers().filter(|header| header.name != Name::ContentLength);
    others.map(|header| (header.name, header.raw_name, header.value))
}

/// Its From has a backslash before each quote: a display name that does not end, so its address cannot be trusted.
const BROKEN: &str = "transport/sip-compact-form_sip_compact_form.pcap";

#[test]
fn every_recorded_message_has_its_typed_values() {
    each_message(|name, message| {
        let from_is_sound = message.from().is_ok();
        let others = (message.via(), message.to(), message.call_id(), message.cseq(), message.contacts());
        assert!(
            matches!(others, (Ok(_), Ok(_), Ok(_), Ok(_), Ok(_))) && from_is_sound == (name != BROKEN),
            "{name}: {others:?} {:?}\n{}",
            message.from(),
            String::from_utf8_lossy(message.bytes())
        );
    });
}

/// A device wrote junk in front of a request: named, and dropped without a state touched.
#[test]
fn junk_in_front_of_a_request_is_refused() {
    let files = shared::files("pcaps/auth-and-errors", &["sip-junk-before-request.pcap"]);
    let mut index = Index::default();
    for (name, bytes) in files {
        let payloads = capture::payloads(&bytes);
        assert_eq!(payloads.len(), 2, "{name}");
        let accepted = payloads.iter().filter(|payload| is_accepted(sip::scan(payload, &mut index)));
        assert_eq!(accepted.count(), 0, "{name}");
    }
}
