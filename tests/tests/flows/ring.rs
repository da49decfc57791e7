//! Early dialogs of the switch's own: what a caller may ask there, while it hears the switch's ringback or an
//! announcement.

use crate::script::{Flow, Person, gateway, phone};

const WEST: Person = gateway("west", "192.0.2.1", &[]);
const BOB: Person = phone("bob", "192.0.2.4", "sip:bob@192.0.2.4");
const RINGS: Flow<'static> =
    Flow { domain: "example.net", people: &[WEST, BOB], phones: "local_ring = true", ..Flow::EMPTY };
const ANNOUNCES: Flow<'static> = Flow {
    phones: "",
    tables: "[tones]\nfolder = \"sounds\"\n[announcements]\nbusy = \"busy.wav\"\n",
    ends: "487 busy by caller",
    ..RINGS
};

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
