//! Early dialogs of the switch's own: what a caller may ask there, while it hears the switch's ringback or an
//! announcement.

use crate::script::{Flow, Person, gateway, one_of, phone};

const WEST: Person = gateway("west", "192.0.2.1", &[]);
const BOB: Person = phone("bob", "192.0.2.4", "sip:bob@192.0.2.4");
const DESK: Person = one_of("desk", "192.0.2.5", "bob", "sip:bob@192.0.2.5");
const MOBILE: Person = one_of("mobile", "192.0.2.6", "bob", "sip:bob@192.0.2.6");
const RINGS: Flow<'static> =
    Flow { domain: "example.net", people: &[WEST, BOB], phones: "local_ring = true", ..Flow::EMPTY };
const ANNOUNCES: Flow<'static> = Flow {
    phones: "",
    tables: "[tones]\nfolder = \"sounds\"\n[announcements]\nbusy = \"busy.wav\"\n",
    ends: "487 busy by caller",
    ..RINGS
};

/// This is asked while the caller hears the ringback, which it gives up then; it is told this besides.
macro_rules! asked {
    ($section:literal, $about:literal, $asked:literal, $told:expr) => {
        Flow {
            section: $section,
            about: $about,
            script: concat!(
                "west =INVITE sip:bob@example.net + sdp > west =100 INVITE, bob =INVITE + relay\n",
                "bob =180 Ringing > west =183 INVITE + relay\n",
                $asked,
                "\nwest =CANCEL > west =200 CANCEL, west =487 INVITE, bob =CANCEL\n",
                "west =ACK\n",
                "bob =200 OK to CANCEL\n",
                "bob =487 Request Terminated to INVITE > bob =ACK\n",
            ),
            told: $told,
            ..RINGS
        }
    };
}

/// By what they show.
pub(crate) const FLOWS: &[Flow<'static>] = &[
    Flow {
        section: "bye",
        about: "the caller ends the early dialog in which it hears the switch's ringback (RFC 3261 §15)",
        script: "
            west =INVITE sip:bob@example.net + sdp > west =100 INVITE, bob =INVITE + relay
            bob =180 Ringing > west =183 INVITE + relay
            west =BYE > west =200 BYE, west =487 INVITE, bob =CANCEL
            west =ACK
            bob =200 OK to CANCEL
            bob =487 Request Terminated to INVITE > bob =ACK
        ",
        ends: "487 cancelled by caller",
        ..RINGS
    },
    asked!(
        "update",
        "a target refresh, answered by the switch (RFC 3311 §5.2)",
        "west =UPDATE > west =200 UPDATE",
        &[]
    ),
    asked!(
        "update-with-an-offer",
        "the INVITE's offer has no answer yet: what is not sent reliably is a preview of one (RFC 3311 §5.2)",
        "west =UPDATE + sdp > west =500 UPDATE",
        &[("west", "Retry-After: ")]
    ),
    asked!(
        "prack",
        "nothing was sent reliably here (RFC 3262 §3)",
        "west =PRACK | RAck: 1 1 INVITE > west =481 PRACK",
        &[]
    ),
    asked!(
        "info",
        "what has no package is taken, though no callee is there to have it (RFC 6086 §4.2.2)",
        "west =INFO > west =200 INFO",
        &[]
    ),
    asked!(
        "info-of-a-package",
        "the switch takes no package (RFC 6086 §4.2.2)",
        "west =INFO | Info-Package: x > west =469 INFO",
        &[("west", "Recv-Info: ")]
    ),
    asked!(
        "options",
        "as outside dialogs (RFC 3261 §11.2)",
        "west =OPTIONS > west =200 OPTIONS",
        &[("west", "Accept: application/sdp")]
    ),
    asked!(
        "refer",
        "nobody is there to be sent elsewhere",
        "west =REFER | Refer-To: <sip:carol@example.net> > west =405 REFER",
        &[("west", "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK\r\n")]
    ),
    Flow {
        section: "re-invite",
        about: "before the first INVITE's final answer (RFC 3261 §14.2)",
        script: "
            west =INVITE sip:bob@example.net + sdp > west =100 INVITE, bob =INVITE + relay
            bob =180 Ringing > west =183 INVITE + relay
            west =INVITE + sdp > west =500 INVITE
            west =ACK
            bob =486 Busy Here > bob =ACK, west =486 INVITE
        ",
        told: &[("west", "Retry-After: ")],
        ..RINGS
    },
    Flow {
        section: "described-reliably",
        about: "the callee's answer is in its 183, the caller's in the 2xx of the callee's dialog (RFC 3261 §13.2.1)",
        script: "
            west =INVITE sip:bob@example.net | Supported: 100rel + sdp > west =100 INVITE, bob =INVITE + relay
            bob =183 Session Progress | Require: 100rel | RSeq: 5 + sdp > bob =PRACK, west =183 INVITE + relay
            bob =200 OK to PRACK
            bob =200 OK to INVITE > west =200 INVITE + relay
            west =ACK > bob =ACK
            west =BYE > west =200 BYE, bob =BYE
            bob =200 OK
        ",
        ends: "200 normal by caller",
        ..RINGS
    },
    Flow {
        section: "described-in-a-preview",
        about: "a callee that should have repeated its description in the 2xx (RFC 3261 §13.2.1)",
        script: "
            west =INVITE sip:bob@example.net + sdp > west =100 INVITE, bob =INVITE + relay
            bob =183 Session Progress + sdp > west =183 INVITE + relay
            bob =180 Ringing
            bob =200 OK to INVITE > west =200 INVITE + relay
            west =ACK > bob =ACK
            west =BYE > west =200 BYE, bob =BYE
            bob =200 OK
        ",
        ends: "200 normal by caller",
        ..RINGS
    },
    Flow {
        section: "rings-reliably",
        about: "the caller is spared the callee's ringing, which the switch acknowledges for it (RFC 3262 §4)",
        script: "
            west =INVITE sip:bob@example.net | Supported: 100rel + sdp > west =100 INVITE, bob =INVITE + relay
            bob =180 Ringing | Require: 100rel | RSeq: 5 > bob =PRACK, west =183 INVITE + relay
            bob =200 OK to PRACK
            bob =200 OK to INVITE + sdp > west =200 INVITE + relay
            west =ACK > bob =ACK
            west =BYE > west =200 BYE, bob =BYE
            bob =200 OK
        ",
        ends: "200 normal by caller",
        ..RINGS
    },
    Flow {
        section: "one-of-two-phones-fails",
        about: "the caller hears the other one ring on, in a further dialog: its ports are others",
        people: &[WEST, DESK, MOBILE],
        script: "
            west =INVITE sip:bob@example.net + sdp > west =100 INVITE, desk =INVITE + relay, mobile =INVITE + relay
            desk =180 Ringing > west =183 INVITE + relay
            mobile =180 Ringing
            desk =480 Temporarily Unavailable > desk =ACK, west =183 INVITE + relay
            mobile =200 OK to INVITE + sdp > west =200 INVITE + relay
            west =ACK > mobile =ACK
            west =BYE > west =200 BYE, mobile =BYE
            mobile =200 OK
        ",
        ends: "200 normal by caller",
        ..RINGS
    },
    Flow {
        section: "bye-in-one-of-two",
        about: "the first early dialog ends and no more (RFC 3261 §15.1.1), the second is the caller's last and ends the call",
        people: &[WEST, DESK, MOBILE],
        script: "
            west =INVITE sip:bob@example.net + sdp > west =100 INVITE, desk =INVITE + relay, mobile =INVITE + relay
            desk =180 Ringing > west =183 INVITE + relay
            mobile =180 Ringing
            desk =480 Temporarily Unavailable > desk =ACK, west =183 INVITE + relay
            west =BYE | To: {early 1} > west =200 BYE
            west =OPTIONS | To: {early 1} > west =481 OPTIONS
            west =BYE | To: {early 2} > west =200 BYE, west =487 INVITE, mobile =CANCEL
            west =ACK
            mobile =200 OK to CANCEL
            mobile =487 Request Terminated to INVITE > mobile =ACK
        ",
        ends: "487 cancelled by caller",
        ..RINGS
    },
    Flow {
        section: "bye-in-announcement",
        about: "the caller has heard enough of an announcement: its INVITE ends, the record keeps the reason",
        script: "
            west =INVITE sip:bob@example.net + sdp > west =100 INVITE, bob =INVITE + sdp
            bob =486 Busy Here > bob =ACK, west =183 INVITE + relay
            west =BYE > west =200 BYE, west =487 INVITE
            west =ACK
        ",
        ..ANNOUNCES
    },
];
