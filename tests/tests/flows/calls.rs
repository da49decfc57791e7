//! Calls that RFCs print on the way to something else: session timers (RFC 4028), dialogs seen by others (RFC 4235),
//! over WebSocket (RFC 7118), asserted and signed identities (RFC 3325, RFC 8224).

use crate::script::{Flow, gateway, phone};

/// RFC 3325 §10.
pub(crate) const RFC3325: &[Flow<'static>] = &[
    Flow {
        section: "s10.1",
        about: "an anonymous caller, whom the switch knows by the password, into the telephone network",
        domain: "cisco.com",
        people: &[
            phone("fluffy", "192.0.2.30", "sip:fluffy@useragent.cisco.com"),
            gateway("pstn", "192.0.2.60", &["+1408"]),
        ],
        script: "
            fluffy #001 > fluffy #002
            fluffy =ACK
            fluffy #003 > fluffy =100 INVITE, pstn #005
            pstn =486 Busy Here > pstn =ACK, fluffy =486 INVITE
            fluffy =ACK
        ",
        passed_over: "#004: between the proxies",
        told: &[
            ("pstn", "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="),
            ("pstn", "P-Asserted-Identity: <sip:fluffy@cisco.com>"),
            ("pstn", "Privacy: id"),
        ],
        ..Flow::EMPTY
    },
    Flow {
        section: "s10.2",
        about: "the same to a phone outside the circle of trust: the identity does not reach it",
        domain: "cisco.com",
        people: &[
            phone("fluffy", "192.0.2.30", "sip:fluffy@useragent.cisco.com"),
            phone("bob", "192.0.2.61", "sip:bob@bobster.biloxi.com"),
        ],
        script: "
            fluffy #006 > fluffy #007
            fluffy =ACK
            fluffy #008 > fluffy =100 INVITE, bob #011
            bob =486 Busy Here > bob =ACK, fluffy =486 INVITE
            fluffy =ACK
        ",
        passed_over: "#009 #010: between the proxies",
        hidden: &[("bob", "fluffy"), ("bob", "Cullen")],
        ..Flow::EMPTY
    },
];

/// RFC 4028 §13.
pub(crate) const RFC4028: &[Flow<'static>] = &[Flow {
    section: "s13",
    about: "session timers: agreed on each leg by itself, and the switch asks for none",
    domain: "biloxi.example.com",
    people: &[gateway("alice", "192.0.2.1", &[]), phone("bob", "192.0.2.4", "sip:bob@192.0.2.4")],
    script: "
        alice #004 > alice =100 INVITE, bob =INVITE
        bob #005 > alice #005
        alice =ACK > bob =ACK
        alice #006 > bob #006
        bob #007 > alice #007
        alice =BYE > alice =200 BYE, bob =BYE
        bob =200 OK
    ",
    passed_over: "
        #001 #002 #003: an interval that is too short for a proxy
    ",
    ..Flow::EMPTY
}];

/// RFC 4235 §6.1.
pub(crate) const RFC4235: &[Flow<'static>] = &[Flow {
    section: "s6.1",
    about: "two phones behind bob's proxy ring, which the caller hears once; the second one answers",
    domain: "example.com",
    people: &[gateway("alice", "192.0.2.1", &[]), phone("bob", "192.0.2.4", "sip:bob@host.example.com")],
    script: "
        alice #001 > alice =100 INVITE, bob =INVITE
        bob #002 > alice #002
        bob #003
        bob =200 OK to INVITE | To: <sip:bob@example.com>;tag=hh76a | Contact: <sip:jack@host.example.com> > alice =200 INVITE
        alice =ACK > bob =ACK
        alice =BYE > alice =200 BYE, bob =BYE
        bob =200 OK
    ",
    ..Flow::EMPTY
}];

/// RFC 7118 §8, over UDP.
pub(crate) const RFC7118: &[Flow<'static>] = &[
    Flow {
        section: "s8.1",
        about: "a browser registers; the switch gives it no GRUU",
        domain: "example.com",
        people: &[phone("alice", "203.0.113.141", "")],
        script: "
            alice #001 > alice =401 REGISTER
            alice #001+ > alice #002
        ",
        ..Flow::EMPTY
    },
    Flow {
        section: "s8.2",
        about: "a browser calls a phone, which hangs up",
        domain: "example.com",
        people: &[
            phone("alice", "203.0.113.141", "sip:alice@df7jal23ls0d.invalid"),
            phone("bob", "203.0.113.22", "sip:bob@203.0.113.22:5060"),
        ],
        script: "
            alice #003 > alice =407 INVITE
            alice =ACK
            alice #003+ > alice #004, bob #005
            bob #006 > alice #007
            alice #008 > bob #009
            bob #010 > bob #013, alice #011
            alice #012
        ",
        ..Flow::EMPTY
    },
];

/// RFC 8224 §5.1.
pub(crate) const RFC8224: &[Flow<'static>] = &[Flow {
    section: "s5.1",
    about: "a call whose Identity is to be made over From, To and Date: Date and the body pass, From and To are ours",
    domain: "example.com",
    people: &[gateway("bob", "192.0.2.70", &[]), phone("alice", "192.0.2.101", "sip:alice@192.0.2.101")],
    script: "
        bob #001 > bob =100 INVITE, alice #001
        alice =486 Busy Here > alice =ACK, bob =486 INVITE
        bob =ACK
    ",
    ..Flow::EMPTY
}];
