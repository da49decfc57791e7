//! Transfers: REFER (RFC 3515), Replaces (RFC 3891), Referred-By (RFC 3892).

use crate::script::{Flow, Person, gateway, phone};

const WEST: Person = gateway("west", "192.0.2.1", &[]);
const BOB: Person = phone("bob", "192.0.2.4", "sip:bob@192.0.2.4");
const CAROL: Person = phone("carol", "192.0.2.5", "sip:carol@192.0.2.5");

/// RFC 3515 §2.4.5: what a NOTIFY says of the call that a REFER asked for.
pub(crate) const RFC3515: &[Flow<'static>] = &[Flow {
    section: "s2.4.5",
    about: "one REFER after the other; each NOTIFY's fragment passes byte for byte",
    domain: "example.net",
    people: &[WEST, BOB],
    script: "
        west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
        bob =200 OK > west =200 INVITE
        west =ACK > bob =ACK
        bob =REFER | Refer-To: <sip:carol@example.net> > west =REFER
        west =202 Accepted > bob =202 REFER
        west =NOTIFY | Event: refer | Subscription-State: active;expires=60 + sipfrag #001 > bob =NOTIFY + sipfrag #001
        bob =200 OK > west =200 NOTIFY
        west =NOTIFY | Event: refer | Subscription-State: terminated;reason=noresource + sipfrag #002 > bob =NOTIFY + sipfrag #002
        bob =200 OK > west =200 NOTIFY
        west =REFER | Refer-To: <sip:dave@example.net> > bob =REFER
        bob =202 Accepted > west =202 REFER
        bob =NOTIFY | Event: refer | Subscription-State: active;expires=60 + sipfrag #003 > west =NOTIFY + sipfrag #003
        west =200 OK > bob =200 NOTIFY
        bob =NOTIFY | Event: refer | Subscription-State: terminated;reason=noresource + sipfrag #004 > west =NOTIFY + sipfrag #004
        west =200 OK > bob =200 NOTIFY
        west =BYE > west =200 BYE, bob =BYE
        bob =200 OK
    ",
    ..Flow::EMPTY
}];

/// RFC 3892 §7: the fragments of its NOTIFYs.
pub(crate) const RFC3892: &[Flow<'static>] = &[Flow {
    section: "s7",
    about: "the one who is called wants to know who referred: the fragment says so",
    domain: "example.net",
    people: &[WEST, BOB],
    script: "
        west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
        bob =200 OK > west =200 INVITE
        west =ACK > bob =ACK
        bob =REFER | Refer-To: <sip:carol@example.net> | Referred-By: <sip:bob@example.net> > west =REFER
        west =202 Accepted > bob =202 REFER
        west =NOTIFY | Event: refer | Subscription-State: active;expires=60 + sipfrag #002 > bob =NOTIFY + sipfrag #002
        bob =200 OK > west =200 NOTIFY
        west =NOTIFY | Event: refer | Subscription-State: terminated;reason=noresource + sipfrag #001 > bob =NOTIFY + sipfrag #001
        bob =200 OK > west =200 NOTIFY
        west =BYE > west =200 BYE, bob =BYE
        bob =200 OK
    ",
    ..Flow::EMPTY
}];

/// RFC 3891 §7.1 and §1.
pub(crate) const RFC3891: &[Flow<'static>] = &[
    Flow {
        section: "s7.1",
        about: "bob takes the call that rings on his desk from the lab; its INVITE reaches alice in the terms of her leg",
        domain: "example.org",
        people: &[
            gateway("alice", "192.0.2.1", &[]),
            phone("bob", "192.0.2.4", "sip:bob@bobster.example.org"),
            gateway("lab", "192.0.2.6", &[]),
        ],
        script: "
            alice #003 > alice =100 INVITE, bob =INVITE
            bob #004 > alice #004
            lab =INVITE sip:alice@example.org | Replaces: {replaces bob 1};early-only > lab =100 INVITE, alice =INVITE
            alice #005 > lab =200 INVITE
            lab =ACK > alice =ACK
            alice #006 > alice #007, alice #008, bob #006
            alice =ACK@1
            bob #007
            bob #008 > bob =ACK
            lab =BYE > lab =200 BYE, alice =BYE
            alice =200 OK
        ",
        ..Flow::EMPTY
    },
    Flow {
        section: "s1",
        about: "a call made on somebody's behalf",
        domain: "example.org",
        people: &[
            gateway("bob", "192.0.2.4", &[]),
            phone("parkingplace", "192.0.2.5", "sip:parkplace@monopoly.example.org"),
        ],
        script: "
            bob #001 > bob =100 INVITE, parkingplace =INVITE
            parkingplace #002 > bob #002
            bob =ACK > parkingplace =ACK
            bob =BYE > bob =200 BYE, parkingplace =BYE
            parkingplace =200 OK
        ",
        ..Flow::EMPTY
    },
];

const TRANSFER: Flow<'static> = Flow { domain: "example.net", people: &[WEST, BOB, CAROL], ..Flow::EMPTY };

/// Our own.
pub(crate) const OWN: &[Flow<'static>] = &[
    Flow {
        section: "blind-transfer",
        about: "the callee sends the caller on and hangs up when that has worked",
        script: "
            west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
            bob =200 OK > west =200 INVITE
            west =ACK > bob =ACK
            bob =REFER | Refer-To: <sip:carol@example.net> | Referred-By: <sip:bob@example.net> > west =REFER
            west =202 Accepted > bob =202 REFER
            west =INVITE sip:carol@example.net | Referred-By: <sip:bob@example.net> > west =100 INVITE, carol =INVITE
            carol =180 Ringing > west =180 INVITE
            west =NOTIFY@1 | Event: refer | Subscription-State: active;expires=60 + sipfrag SIP/2.0 180 Ringing > bob =NOTIFY + sipfrag SIP/2.0 180 Ringing
            bob =200 OK > west =200 NOTIFY
            carol =200 OK to INVITE > west =200 INVITE
            west =ACK@2 > carol =ACK
            west =NOTIFY@1 | Event: refer | Subscription-State: terminated;reason=noresource + sipfrag SIP/2.0 200 OK > bob =NOTIFY + sipfrag SIP/2.0 200 OK
            bob =200 OK > west =200 NOTIFY
            bob =BYE > bob =200 BYE, west =BYE
            west =200 OK
            west =BYE@2 > west =200 BYE, carol =BYE
            carol =200 OK
        ",
        ..TRANSFER
    },
    Flow {
        section: "transfer-then-hang-up",
        about: "the callee hangs up at once: the subscription outlives the call",
        script: "
            west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
            bob =200 OK > west =200 INVITE
            west =ACK > bob =ACK
            bob =REFER | Refer-To: <sip:carol@example.net> > west =REFER
            west =202 Accepted > bob =202 REFER
            bob =BYE > bob =200 BYE, west =BYE
            west =200 OK
            west =NOTIFY | Event: refer | Subscription-State: terminated;reason=noresource + sipfrag SIP/2.0 486 Busy Here > bob =NOTIFY + sipfrag SIP/2.0 486 Busy Here
            bob =200 OK > west =200 NOTIFY
        ",
        ..TRANSFER
    },
    Flow {
        section: "attended-transfer",
        about: "bob asks carol first, then has west take his place: her Replaces names her own dialog",
        script: "
            west =INVITE sip:bob@example.net > west =100 INVITE, bob =INVITE
            bob =200 OK > west =200 INVITE
            west =ACK > bob =ACK
            bob =INVITE sip:carol@example.net | Authorization: ours > bob =100 INVITE, carol =INVITE
            carol =200 OK > bob =200 INVITE
            bob =ACK > carol =ACK
            bob =REFER@1 | Refer-To: <sip:carol@example.net?Replaces={replaces% bob 2}> > west =REFER
            west =202 Accepted > bob =202 REFER
            west =INVITE sip:carol@example.net | Replaces: {replaces bob 2} > west =100 INVITE, carol =INVITE
            carol =200 OK to INVITE > west =200 INVITE
            west =ACK@2 > carol =ACK
            carol =BYE@1 > carol =200 BYE, bob =BYE
            bob =200 OK
            west =NOTIFY@1 | Event: refer | Subscription-State: terminated;reason=noresource + sipfrag SIP/2.0 200 OK > bob =NOTIFY + sipfrag SIP/2.0 200 OK
            bob =200 OK > west =200 NOTIFY
            bob =BYE@1 > bob =200 BYE, west =BYE
            west =200 OK
            west =BYE@2 > west =200 BYE, carol =BYE
            carol =200 OK
        ",
        ..TRANSFER
    },
    Flow {
        section: "replaces-nothing",
        about: "a dialog to replace that there is not",
        script: "
            west =INVITE sip:carol@example.net | Replaces: nothing;to-tag=1;from-tag=2 > west =100 INVITE, west =481 INVITE
            west =ACK
        ",
        ..TRANSFER
    },
];
