//! Flows of our own, for what matters most and where there is no shared data.

use crate::script::{Flow, Person, gateway, one_of, phone};

const WEST: Person = gateway("west", "192.0.2.1", &[]);
const BOB: Person = phone("bob", "192.0.2.4", "sip:bob@192.0.2.4");
const CALL: Flow<'static> = Flow { domain: "example.net", people: &[WEST, BOB], ..Flow::EMPTY };

/// By what they show.
pub(crate) const FLOWS: &[Flow<'static>] = &[
    Flow {
        section: "basic-call",
        about: "answered, the callee hangs up",
        script: "
            west =INVITE sip:bob@example.net | Subject: lunch | X-Ours: kept > west =100 INVITE, bob =INVITE
            bob =180 Ringing > west =180 INVITE
            bob =200 OK to INVITE | Server: x > west =200 INVITE
            west =ACK > bob =ACK
            bob =BYE > bob =200 BYE, west =BYE
            west =200 OK
        ",
        ..CALL
    },
    Flow {
        section: "busy",
        about: "the refusal goes back, each side's ACK stays on its side",
        script: "
            west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
            bob =486 Busy Here > bob =ACK, west =486 INVITE
            west =ACK
        ",
        ..CALL
    },
    Flow {
        section: "no-answer",
        about: "it rings for as long as it may",
        script: "
            west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
            bob =180 Ringing > west =180 INVITE
            wait 130s > bob =CANCEL, west =480 INVITE
            west =ACK
            bob =200 OK to CANCEL
            bob =487 Request Terminated to INVITE > bob =ACK
        ",
        ..CALL
    },
    Flow {
        section: "cancel",
        about: "the caller gives up while it rings",
        script: "
            west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
            bob =180 Ringing > west =180 INVITE
            west =CANCEL > west =200 CANCEL, west =487 INVITE, bob =CANCEL
            west =ACK
            bob =200 OK to CANCEL
            bob =487 Request Terminated to INVITE > bob =ACK
        ",
        ..CALL
    },
    Flow {
        section: "redirect",
        about: "the callee's new place becomes a number of the switch",
        script: "
            west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
            bob =302 Moved Temporarily | Contact: <sip:carol@198.51.100.7> > bob =ACK, west =302 INVITE
            west =ACK
        ",
        hidden: &[("west", "198.51.100.7")],
        ..CALL
    },
    Flow {
        section: "proxy-before-the-switch",
        about: "its Record-Route comes back in the answers that make the dialog, and routes our BYE",
        script: "
            west =INVITE sip:bob@example.net | Record-Route: <sip:192.0.2.1;lr> > west =100 INVITE, bob =INVITE
            bob =180 Ringing > west =180 INVITE
            bob =200 OK to INVITE > west =200 INVITE
            west =ACK > bob =ACK
            bob =BYE > bob =200 BYE, west =BYE
            west =200 OK
        ",
        ..CALL
    },
    Flow {
        section: "prack-by-the-switch",
        about: "the callee sends reliably, the caller knows nothing of it",
        script: "
            west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
            bob =180 Ringing | Require: 100rel | RSeq: 5 > bob =PRACK, west =180 INVITE
            bob =200 OK to PRACK
            bob =200 OK to INVITE > west =200 INVITE
            west =ACK > bob =ACK
            west =BYE > west =200 BYE, bob =BYE
            bob =200 OK
        ",
        ..CALL
    },
    Flow {
        section: "described-reliably-to-the-switch",
        about: "the callee need not repeat its answer, the caller must have it in what cannot get lost (RFC 3261 §13.2.1)",
        script: "
            west =INVITE sip:bob@example.net + sdp > west =100 INVITE, bob =INVITE + sdp
            bob =183 Session Progress | Require: 100rel | RSeq: 5 + sdp > bob =PRACK, west =183 INVITE + sdp
            bob =200 OK to PRACK
            bob =200 OK to INVITE > west =200 INVITE + sdp
            west =ACK > bob =ACK
            west =BYE > west =200 BYE, bob =BYE
            bob =200 OK
        ",
        ..CALL
    },
    Flow {
        section: "prack-to-the-switch",
        about: "the caller requires it, the callee does not do it: the PRACK stays on the caller's side",
        script: "
            west =INVITE sip:bob@example.net | Require: 100rel + sdp > west =100 INVITE, bob =INVITE + sdp
            bob =180 Ringing > west =180 INVITE
            west =PRACK | RAck: {rack} > west =200 PRACK
            bob =200 OK to INVITE + sdp > west =200 INVITE + sdp
            west =ACK > bob =ACK
            west =BYE > west =200 BYE, bob =BYE
            bob =200 OK
        ",
        ..CALL
    },
    Flow {
        section: "prack-that-the-callee-insists-on",
        about: "the callee wants reliable answers or none (421), the caller knows none: the switch sends the PRACK",
        script: "
            west =INVITE sip:bob@example.net + sdp > west =100 INVITE, bob =INVITE + sdp
            bob =421 Extension Required | Require: 100rel > bob =ACK, bob =INVITE + sdp
            bob =180 Ringing | Require: 100rel | RSeq: 7 > bob =PRACK, west =180 INVITE
            bob =200 OK to PRACK
            bob =200 OK to INVITE + sdp > west =200 INVITE + sdp
            west =ACK > bob =ACK
            west =BYE > west =200 BYE, bob =BYE
            bob =200 OK
        ",
        ..CALL
    },
    Flow {
        section: "two-phones",
        about: "both bindings ring, the second answers, the first is let go",
        people: &[
            WEST,
            one_of("desk", "192.0.2.41", "bob", "sip:bob@192.0.2.41"),
            one_of("cell", "192.0.2.42", "bob", "sip:bob@192.0.2.42"),
        ],
        script: "
            west =INVITE sip:bob@example.net > west =100 INVITE, desk =INVITE, cell =INVITE
            desk =180 Ringing > west =180 INVITE
            cell =180 Ringing
            cell =200 OK to INVITE > west =200 INVITE, desk =CANCEL
            desk =200 OK to CANCEL
            desk =487 Request Terminated to INVITE > desk =ACK
            west =ACK > cell =ACK
            west =BYE > west =200 BYE, cell =BYE
            cell =200 OK
        ",
        ..CALL
    },
];
