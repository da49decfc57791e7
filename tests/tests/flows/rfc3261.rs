//! RFC 3261: the examples of §24, and the messages printed elsewhere in it.

use crate::script::{Flow, Person, gateway, phone};

const ALICE: Person = gateway("alice", "192.0.2.1", &[]);
const BOB: Person = phone("bob", "192.0.2.4", "sip:bob@192.0.2.4");

const SESSION: Flow<'static> = Flow { domain: "biloxi.com", people: &[ALICE, BOB], ..Flow::EMPTY };

/// §24.
pub(crate) const EXAMPLES: &[Flow<'static>] = &[
    Flow {
        section: "s24.1",
        about: "registration; the RFC's registrar asks for no password, the switch does",
        people: &[phone("bob", "192.0.2.4", "")],
        script: "
            bob F1 > bob =401 REGISTER
            bob F1+ > bob F2
        ",
        ..SESSION
    },
    Flow {
        section: "s24.2",
        about: "through two proxies",
        script: "
            alice #036 > alice #037, bob #040
            bob #041 > alice #043
            bob #044 > alice #046
            alice #047 > bob #047
            bob #048 > bob #049, alice #048
            alice #049
        ",
        passed_over: "#038 #039 #042 #045: between the two proxies",
        ..SESSION
    },
];

/// The other sections.
pub(crate) const ELSEWHERE: &[Flow<'static>] = &[
    Flow {
        section: "s4",
        about: "the first example, its end made up",
        script: "
            alice #001 > alice =100 INVITE, bob =INVITE
            bob #002 > alice #002
            alice =ACK > bob =ACK
            alice =BYE > alice =200 BYE, bob =BYE
            bob =200 OK
        ",
        ..SESSION
    },
    Flow {
        section: "s11",
        about: "asking somebody what she can do",
        domain: "chicago.com",
        people: &[ALICE, phone("carol", "192.0.2.40", "sip:carol@192.0.2.40")],
        script: "
            alice #003 > carol =OPTIONS
            carol #004 > alice #004
        ",
        ..SESSION
    },
    Flow {
        section: "s16.12.1.1",
        about: "two loose routers behind the switch, which is the picture's U1",
        domain: "domain.com",
        people: &[ALICE, gateway("p1", "192.0.2.11", &[""])],
        script: "
            alice #005 > alice =100 INVITE, p1 =INVITE
            p1 #008 > alice =200 INVITE
            alice =ACK > p1 =ACK
            alice =BYE > alice =200 BYE, p1 #009
            p1 =200 OK
        ",
        passed_over: "#006 #007 #010 #011: between the proxies and the callee",
        keeps_routes: true,
        ..SESSION
    },
    Flow {
        section: "s16.12.1.2",
        about: "four routers before the switch, which is the picture's U2; the third is a strict one",
        domain: "u2.domain.com",
        people: &[gateway("p4", "192.0.2.14", &[]), phone("callee", "192.0.2.4", "sip:callee@192.0.2.4")],
        script: "
            p4 #012 > p4 =100 INVITE, callee =INVITE
            callee =200 OK > p4 =200 INVITE
            p4 =ACK > callee =ACK
            callee =BYE > callee =200 BYE, p4 #013
            p4 =200 OK
        ",
        passed_over: "#015 #016 #017: between the proxies and the caller",
        keeps_routes: true,
        ..SESSION
    },
    Flow {
        section: "s16.12.1.2",
        variant: "-strict",
        about: "the strict router is the switch's neighbour: it gets what p4 sends it",
        domain: "u2.domain.com",
        people: &[gateway("p3", "192.0.2.13", &[]), phone("callee", "192.0.2.4", "sip:callee@192.0.2.4")],
        script: "
            p3 =INVITE sip:callee@u2.domain.com | Contact: sip:caller@u1.example.com | \
                Record-Route: <sip:p3.middle.com> | Record-Route: <sip:p2.example.com;lr> | \
                Record-Route: <sip:p1.example.com;lr> > p3 =100 INVITE, callee =INVITE
            callee =200 OK > p3 =200 INVITE
            p3 =ACK > callee =ACK
            callee =BYE > callee =200 BYE, p3 #014
            p3 =200 OK
        ",
        keeps_routes: true,
        ..SESSION
    },
    Flow {
        section: "s16.12.1.3",
        about: "a proxy with two names",
        domain: "example.com",
        people: &[ALICE, gateway("gateway", "192.0.2.11", &[""])],
        script: "
            alice #018 > alice =100 INVITE, gateway =INVITE
            gateway #021 > alice =200 INVITE
            alice =ACK > gateway =ACK
            alice =BYE > alice =200 BYE, gateway #022
            gateway =200 OK
        ",
        passed_over: "#019 #020 #023: behind the proxy",
        keeps_routes: true,
        ..SESSION
    },
    Flow {
        section: "s17.1.1.3",
        about: "the ACK of a refusal is in the INVITE's transaction",
        people: &[ALICE, phone("bob", "192.0.2.4", "")],
        script: "
            alice #024 > alice =100 INVITE, alice =480 INVITE
            alice #025
        ",
        ..SESSION
    },
    Flow {
        section: "s18.2.1",
        about: "a name in Via: the answers go to where the request came from, and say so; no branch, as before RFC 3261",
        people: &[gateway("alice", "192.0.2.4", &[]), phone("bob", "192.0.2.5", "")],
        script: "
            alice #026 > alice =100 INVITE, alice =480 INVITE
            alice =ACK
        ",
        passed_over: "#027: how a server notes the source; the answers show it",
        ..SESSION
    },
    Flow {
        section: "s20.18",
        about: "a refusal with its own words and Error-Info",
        script: "
            alice =INVITE sip:bob@biloxi.com > alice =100 INVITE, bob =INVITE
            bob #028 > bob =ACK, alice #028
            alice =ACK
        ",
        ..SESSION
    },
    Flow {
        section: "s21.4",
        about: "an ambiguous number: whom it may have meant is not told, the Contacts being addresses of the callee's side",
        script: "
            alice =INVITE sip:bob@biloxi.com > alice =100 INVITE, bob =INVITE
            bob #029 > bob =ACK, alice #029
            alice =ACK
        ",
        ..SESSION
    },
    Flow {
        section: "s23.4.2",
        about: "a signed body passes byte for byte",
        script: "
            alice #032 > alice =100 INVITE, bob #032
            bob =486 Busy Here > bob =ACK, alice =486 INVITE
            alice =ACK
        ",
        passed_over: "
            #030: a header with `<...>` for what it does not show
            #031 #033: what matters of them is a drawing
        ",
        ..SESSION
    },
];
