//! Where somebody is: Path (RFC 3327), rport (RFC 3581), contacts that point at each other (RFC 5393), flows (RFC 5626),
//! bulk registration (RFC 6140).

use crate::script::{Flow, edge, gateway, phone};

/// RFC 3327 §5.5: a phone three proxies away registers, and is called.
pub(crate) const RFC3327: &[Flow<'static>] = &[Flow {
    section: "s5.5",
    about: "a phone three proxies away registers with a Path and is called over it",
    domain: "EXAMPLEHOME.COM",
    people: &[gateway("UA2", "71.91.180.10", &[]), edge("P3", "19.31.97.3", "UA1")],
    script: "
        P3 #004 > P3 =401 REGISTER
        P3 #004+ > P3 #005
        UA2 #009 > UA2 =100 INVITE, P3 #010
        P3 =486 Busy Here > P3 =ACK, UA2 =486 INVITE
        UA2 =ACK
    ",
    passed_over: "
        #001 #002 #003 #006 #007 #008: between phone and P3
        #011 #012: between P3 and phone
    ",
    keeps_routes: true,
    ..Flow::EMPTY
}];

/// RFC 3581 §6.
pub(crate) const RFC3581: &[Flow<'static>] = &[Flow {
    section: "s6",
    about: "from behind an address translator: the answers go to the port that was seen",
    domain: "example.com",
    people: &[gateway("client", "192.0.2.1:9988", &[]), phone("user", "192.0.2.50", "sip:user@192.0.2.50")],
    script: "
        client #001 > client =100 INVITE, user =INVITE
        user =200 OK > client #004
        client =ACK > user =ACK
        client =BYE > client =200 BYE, user =BYE
        user =200 OK
    ",
    passed_over: "#002 #003: with the Via of the client and of the proxy, in whose place the switch stands: it sends its own",
    ..Flow::EMPTY
}];

/// RFC 5393 §3: the registrations of the attack, and a call after it.
pub(crate) const RFC5393: &[Flow<'static>] = &[
    Flow {
        section: "s3",
        variant: "-P1",
        about: "contacts at another server that point back: calls go to where the REGISTER came from, and no further",
        domain: "P1",
        people: &[gateway("west", "192.0.2.99", &[]), edge("a", "192.0.2.1", "a"), edge("b", "192.0.2.2", "b")],
        script: "
            a #001 > a =401 REGISTER
            a #001+ > a =200 REGISTER
            b #002 > b =401 REGISTER
            b #002+ > b =200 REGISTER
        ",
        ..Flow::EMPTY
    },
    Flow {
        section: "s3",
        variant: "-P2",
        about: "the other server",
        domain: "P2",
        people: &[edge("a", "192.0.2.1", "a"), edge("b", "192.0.2.2", "b")],
        script: "
            a #003 > a =401 REGISTER
            a #003+ > a =200 REGISTER
            b #004 > b =401 REGISTER
            b #004+ > b =200 REGISTER
        ",
        ..Flow::EMPTY
    },
    Flow {
        section: "s3",
        variant: "-itself",
        about: "an address-of-record twice at itself",
        domain: "P1",
        people: &[gateway("west", "192.0.2.99", &[]), edge("a", "192.0.2.1", "a")],
        script: "
            a #005 > a =401 REGISTER
            a #005+ > a =200 REGISTER
        ",
        ..Flow::EMPTY
    },
];

/// RFC 5626 §9, and §3.2.
pub(crate) const RFC5626: &[Flow<'static>] = &[
    Flow {
        section: "s3.2",
        about: "a flow straight to the registrar",
        domain: "example.com",
        people: &[edge("bob", "192.0.2.2", "bob")],
        script: "
            bob #001 > bob =401 REGISTER
            bob #001+ > bob =200 REGISTER
        ",
        ..Flow::EMPTY
    },
    Flow {
        section: "s9",
        about: "two flows over two edge proxies; a call over the one, which has failed, then over the other; a call out",
        domain: "example.com",
        people: &[
            gateway("alice", "192.0.2.200", &["alice"]),
            edge("ep1", "192.0.2.15", "bob"),
            edge("ep2", "192.0.2.16", "bob"),
        ],
        script: "
            ep1 #003 > ep1 =401 REGISTER
            ep1 #003+ | Path: <sip:VskztcQ/S8p4WPbOnHbuyh5iJvJIW3ib@ep1.example.com;lr;ob> > ep1 #004
            ep2 #005 > ep2 =401 REGISTER
            ep2 #005+ | Path: <sip:wazHDLdIMtUg6r0I/oRZ15zx3zHE1w1Z@ep2.example.com;lr;ob> > ep2 #006
            ep1 #015+ | Path: <sip:VskztcQ/S8p4WPbOnHbuyh5iJvJIW3ib@ep1.example.com;lr;ob> > ep1 =200 REGISTER
            alice #007 > alice =100 INVITE, ep1 #008
            ep1 #009 > ep1 =ACK, ep2 #010
            ep2 #012 | Contact: <sip:bob@192.0.2.2> > alice =200 INVITE
            alice #013 > ep2 #013
            alice #014 > alice =200 BYE, ep2 #014
            ep2 =200 OK
            ep1 #016 > ep1 =407 INVITE
            ep1 =ACK
            ep1 #016+ > ep1 =100 INVITE, alice =INVITE
            alice =200 OK > ep1 =200 INVITE
            ep1 =ACK > alice =ACK
            ep1 #017 > ep1 =200 BYE, alice =BYE
            alice =200 OK
        ",
        passed_over: "
            #002: in a subscription to a phone's profile that does not go through the switch
            #011: between edge proxy and phone
        ",
        keeps_routes: true,
        ..Flow::EMPTY
    },
];

/// RFC 6140: a trunk's numbers.
pub(crate) const RFC6140: &[Flow<'static>] = &[Flow {
    section: "s8.1",
    about: "bulk registration is refused by its name; a call to a number of the trunk, which the configuration knows",
    domain: "ssp.example.com",
    people: &[
        gateway("foo", "192.0.2.178", &[]),
        gateway("pbx", "198.51.100.3", &["+1214555"]),
        phone("+12145550102", "192.0.2.77", ""),
    ],
    script: "
            pbx #002 > pbx =420 REGISTER
            foo #003 > foo =100 INVITE, pbx #004
            pbx =486 Busy Here > pbx =ACK, foo =486 INVITE
            foo =ACK
        ",
    passed_over: "
            #001: a first line alone, for an address that only bulk registration makes
            #005 #006 #007: the same over a proxy's Path
        ",
    ..Flow::EMPTY
}];
