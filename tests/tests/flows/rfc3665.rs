//! RFC 3665, Session Initiation Protocol Basic Call Flow Examples. The switch stands for the proxies and the registrar.

use crate::script::{Flow, Person, gateway, phone};

const ALICE: Person = phone("alice", "192.0.2.101", "sip:alice@client.atlanta.example.com");
const BOB: Person = phone("bob", "192.0.2.201", "sip:bob@client.biloxi.example.com");
/// Alice where the RFC has nobody ask who she is: a neighbour known by its address.
const ALICE_KNOWN: Person = gateway("alice", "192.0.2.101", &[]);

const SESSION: Flow<'static> = Flow { domain: "biloxi.example.com", people: &[ALICE, BOB], ..Flow::EMPTY };
const KNOWN: Flow<'static> = Flow { people: &[ALICE_KNOWN, BOB], ..SESSION };

/// §3.
pub(crate) const SESSIONS: &[Flow<'static>] = &[
    Flow {
        section: "s3.1",
        about: "two phones that the RFC has talk to each other directly",
        script: "
            alice F1 > alice =100 INVITE, bob F1
            bob F2 > alice F2
            bob F3 > alice F3
            alice F4 > bob F4
            bob F5 > bob F6, alice F5
            alice F6
        ",
        ..KNOWN
    },
    Flow {
        section: "s3.2",
        about: "through two proxies, of which the first asks who calls",
        script: "
            alice F1 > alice F2
            alice F3
            alice F4 > alice F6, bob F7
            bob F9 > alice F11
            bob F12 > alice F14
            alice F15 > bob F17
            bob F18 > bob F23, alice F20
            alice F21
        ",
        passed_over: "F5 F8 F10 F13 F16 F19 F22: between the two proxies",
        ..SESSION
    },
    Flow {
        section: "s3.3",
        about: "two proxies ask; the caller's credentials for both stand side by side",
        script: "
            alice F1 > alice F2
            alice F3
            alice F11 > alice F12, bob F15
            bob F16 > alice F18
            alice F19 > bob F21
            alice =BYE > alice =200 BYE, bob =BYE
            bob =200 OK
        ",
        passed_over: "
            F4 F5 F9 F10: there is one proxy to ask her, and it has asked
            F6 F7 F8 F13 F14 F17 F20: between the two proxies
        ",
        ..SESSION
    },
    Flow {
        section: "s3.4",
        about: "the first proxy is dead, the second asks who calls",
        script: "
            alice F8 > alice F9
            alice F10
            alice F11 > alice F13, bob F12
            bob F14 > alice F15
            bob F16 > alice F17
            alice F18 > bob F19
            bob F20 > bob F23, alice F21
            alice F22
        ",
        passed_over: "F1: to the dead proxy",
        ..SESSION
    },
    Flow {
        section: "s3.5",
        about: "through an application gateway and a proxy; the caller hangs up",
        script: "
            alice F1 > alice F3, bob F4
            bob F6 > alice F8
            bob F9 > alice F11
            alice F12 > bob F13
            alice F14 > alice F17, bob F15
            bob F16
        ",
        passed_over: "F2 F5 F7 F10: between gateway and proxy",
        ..SESSION
    },
    Flow {
        section: "s3.6",
        about: "redirected; the caller learns a number of the switch, not the callee's place, and calls again",
        people: &[ALICE_KNOWN, phone("bob", "192.0.2.201", "sip:bob@client.chicago.example.com")],
        script: "
            alice F1 > alice =100 INVITE, bob =INVITE
            bob F2 > bob =ACK, alice F2
            alice F3
            alice F4 > alice F6, bob F5
            bob F7 > alice F8
            bob F9 > alice F10
            alice F11 > bob F12
            bob F13 > bob F16, alice F14
            alice F15
        ",
        ..SESSION
    },
    Flow {
        section: "s3.7",
        about: "the callee has moved and says so in a re-INVITE; the BYE follows him",
        script: "
            alice F1 > alice F3, bob F2
            bob F4 > alice F5
            bob F6 > alice F7
            alice F8 > bob F8
            bob F9 > bob =100 INVITE, alice F9
            alice F10 > bob F10
            bob F11 > alice F11
            alice F12 > alice F13, bob F12
            bob F13
        ",
        ..KNOWN
    },
    Flow {
        section: "s3.8",
        about: "cancelled while it rings",
        script: "
            alice F1 > alice F3, bob F4
            bob F6 > alice F8
            alice F9 > alice F10, alice F19, bob F13
            alice F20
            bob F14
            bob F15 > bob F16
        ",
        passed_over: "F2 F5 F7 F11 F12 F17 F18: between the two proxies",
        ..SESSION
    },
    Flow {
        section: "s3.9",
        about: "busy",
        script: "
            alice F1 > alice F3, bob F4
            bob =486 Busy Here > bob F7, alice =486 INVITE
            alice F11
        ",
        passed_over: "F2 F5 F9: between the two proxies",
        ..SESSION
    },
    Flow {
        section: "s3.10",
        about: "the callee is silent; the RFC's proxy calls that 480, the switch 408 (RFC 3261 §8.1.3.1)",
        script: "
            alice F1 > alice F3, bob F4
            wait 40s > alice =408 INVITE
            alice F15
        ",
        passed_over: "
            F2 F5 F12 F13: between the two proxies
            F14: the proxy's 480
        ",
        ..SESSION
    },
    Flow {
        section: "s3.11",
        about: "rings, and then the callee is not available",
        script: "
            alice F1 > alice F3, bob F4
            bob F6 > alice F8
            bob F9 > bob F10, alice F13
            alice F14
        ",
        passed_over: "F2 F5 F7 F11 F12: between the two proxies",
        ..SESSION
    },
];

/// Bob as a phone that has not registered yet.
const BOB_NEW: Person = phone("bob", "192.0.2.201", "");
const REGISTRATION: Flow<'static> = Flow { people: &[BOB_NEW], ..SESSION };
const REGISTERED: Flow<'static> = Flow { people: &[BOB], ..SESSION };

/// §2.
pub(crate) const REGISTRATIONS: &[Flow<'static>] = &[
    Flow {
        section: "s2.1",
        about: "a new registration",
        script: "
            bob F1 > bob F2
            bob F3 > bob F4
        ",
        ..REGISTRATION
    },
    Flow {
        section: "s2.2",
        about: "one more Contact, a mail address: refused, since the switch redirects nobody",
        script: "
            bob F1 > bob =400 REGISTER
        ",
        passed_over: "F2: a registrar that takes it",
        ..REGISTERED
    },
    Flow {
        section: "s2.3",
        about: "asking for the list",
        script: "
            bob F1 > bob F2
        ",
        ..REGISTERED
    },
    Flow {
        section: "s2.4",
        about: "leaving",
        script: "
            bob F1 > bob F2
        ",
        ..REGISTERED
    },
    Flow {
        section: "s2.5",
        about: "the wrong password",
        script: "
            bob F1 > bob F2
            bob F3! > bob F4
        ",
        ..REGISTRATION
    },
];
