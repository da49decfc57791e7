//! The catalogue: every check by its id, what it demands, and where that is written. `docs/checks.md` is written from it.

/// Every check: its id, what it demands, and where that is written.
pub const CATALOGUE: &[(&str, &str, &str)] = &[
    // conservation
    (
        "one-final-answer",
        "An INVITE, and every other request, has one final answer: what follows is the same one again, byte for byte. A caller gets one 2xx, under one tag, whatever forks behind the switch. What is refused without keeping state may be refused anew: a challenge to who showed no credentials, a CANCEL.",
        "RFC 3261 §17.2.1, §13.2.2.4, §16.7",
    ),
    ("no-provisional-after-final", "No provisional answer follows a final one.", "RFC 3261 §17.2.1"),
    (
        "request-answered",
        "Every request that the switch takes in is answered, an INVITE always; one that is passed on and that the other side leaves unanswered is not.",
        "RFC 3261 §17.2, RFC 4320 §4.2",
    ),
    ("one-cdr", "One record for every call that started, and none besides; numbers rise.", "behaviour 1(f)"),
    (
        "left-in-call",
        "Nobody is left with a call that the other side has ended: 64*T1 after its record, both legs of a call are over.",
        "RFC 3261 §15",
    ),
    // transactions
    (
        "response-matches",
        "A response answers a request that came from there, with its Via values, From, To, Call-ID and CSeq, and has a tag in To.",
        "RFC 3261 §8.2.6.2, §17.1.3, §18.2.2",
    ),
    (
        "resend-schedule",
        "A request is sent again at T1, doubled up to T2 (that of an INVITE without end), until it is answered and for 64*T1 at most; so is the final answer of an INVITE until its ACK. Other answers are sent again when they are asked for, and nothing else is.",
        "RFC 3261 §17.1.1.2, §17.1.2.2, §17.2, §13.3.1.4",
    ),
    (
        "cancel",
        "A CANCEL is in the transaction of an INVITE that has a provisional answer and no final one, and says what that said.",
        "RFC 3261 §9.1",
    ),
    (
        "ack",
        "Every failure of an INVITE, and every copy of it, is acknowledged in its transaction; the ACK of a 2xx has a transaction of its own and is the same each time, and while the call lasts there is one for every copy of the 2xx; nothing else is acknowledged.",
        "RFC 3261 §17.1.1.3, §13.2.2.4",
    ),
    ("branch", "A branch begins with the magic cookie and is no other request's.", "RFC 3261 §8.1.1.7"),
    // dialogs
    ("call-id", "A request outside of a dialog has a Call-ID of the switch's own.", "RFC 3261 §8.1.1.4, RFC 7092 §3.1"),
    (
        "in-dialog",
        "A request with a tag in To is inside a dialog that there is, by Call-ID and both tags.",
        "RFC 3261 §12.2.1.1",
    ),
    ("cseq", "CSeq rises with every request of the switch in a dialog.", "RFC 3261 §12.2.1.1"),
    (
        "bye",
        "A BYE ends a dialog that was answered, on the caller's side once its ACK has come or will not come any more.",
        "RFC 3261 §15",
    ),
    (
        "after-bye",
        "Nothing but what belongs to a subscription is sent in a dialog that is over.",
        "RFC 3261 §15, RFC 5057 §4.1",
    ),
    (
        "reliable",
        "RSeq and Require: 100rel go together; RSeq rises by one in a dialog; a PRACK names an answer that came.",
        "RFC 3262 §3, §4",
    ),
    (
        "search",
        "Once a callee has answered an INVITE with 6xx, which speaks for all, no other is asked.",
        "RFC 3261 §16.7, §21.6",
    ),
    // each message
    (
        "headers",
        "Every message has one From, To, Call-ID and CSeq, a tag in From, and in CSeq its own method.",
        "RFC 3261 §8.1.1, §20",
    ),
    ("via", "A request has one Via, that of the switch.", "RFC 3261 §8.1.1.7, §18.1.1"),
    (
        "max-forwards",
        "A request has Max-Forwards of at most 70, and the INVITE of the other leg one less than what came.",
        "RFC 3261 §8.1.1.6, §16.6",
    ),
    (
        "contact",
        "One Contact is there wherever a dialog or its target is made.",
        "RFC 3261 §12.1, RFC 3311 §5, RFC 3515 §2.1",
    ),
    ("content-length", "Content-Length is the length of the body.", "RFC 3261 §20.14"),
    ("content-type", "A body has a Content-Type, and nothing else has.", "RFC 3261 §20.15"),
    ("topology", "What a leg carries outside of its body names no address of another leg's side.", "RFC 7092 §3.1.3"),
    ("phone", "No phone, which is a strict user agent, holds anything against the switch.", "RFC 3261"),
    // records
    (
        "cdr-agrees",
        "A record agrees with what the caller was told and with whether the callee answered.",
        "behaviour 1(f)",
    ),
    (
        "billing",
        "A record has the times at which INVITE, answer and end passed at the switch, to the millisecond, counts the conversation from the caller's 2xx to the first BYE of either leg, charges it by the rule, and says who hung up.",
        "behaviour 1(f)",
    ),
    (
        "billing-by-phones",
        "The conversation that a record charges lies within what the phones' own clocks allow: from the callee's 2xx or the caller's hearing of it, to the one's hanging up or the other's hearing of that.",
        "behaviour 1(f)",
    ),
    (
        "journal",
        "What is told of registrations is what the registrar has: after a crash, and at the end, every contact with the time of its end.",
        "architecture §9",
    ),
    // media
    (
        "ports",
        "A media port is opened where it is not open and closed where it is, by one shard, and media leaves through open ports alone.",
        "architecture §5",
    ),
    (
        "media-delivery",
        "A phone hears in a call what the other side of it says, or the switch itself, and nothing else.",
        "user-pains 1, 2",
    ),
    (
        "media-statistics",
        "The relay counts, in its reports and in records, the packets of each phone that it took as that phone's.",
        "behaviour 1(f)",
    ),
    // what a scenario is to come to, once its faults are over
    (
        "reaches-somebody",
        "What is sent goes to the switch, and from the switch to an address where somebody is.",
        "RFC 3261 §12.2.1.1, §18.2.2",
    ),
    (
        "rests-in-calm",
        "Over good links and without faults everything comes to rest in bounded time.",
        "architecture §10",
    ),
    ("registers-in-calm", "Over good links and without faults everybody registers.", "architecture §10"),
    (
        "passes-in-calm",
        "Over good links and without faults a probe call is answered, whatever was before.",
        "architecture §10",
    ),
    (
        "heard-in-calm",
        "Over good links and without faults both sides of a call that the switch relays hear each other and get each other's RTCP.",
        "user-pains 1",
    ),
    (
        "no-panic",
        "No input, clock or restart makes the core panic: it does so only where a rule of its own is broken.",
        "architecture §9, §13",
    ),
    // what is held and told
    (
        "residue",
        "Where nothing goes on, the switch holds no calls, transactions, timers, timers without an owner, names of dialogs, no load of calls, no media sessions, in no shard either, and of media ports only those that are open ahead of demand, late in being given back, or lost with a reply that never came.",
        "architecture §10",
    ),
    (
        "memory",
        "The switch holds at most the calls that are open or ended less than 250 s ago (subscriptions outlive a call), one transaction for each request that came or went and was answered less than 64*T1 ago, three timers for each of these and eighty for each call, no timer without an owner, and no media port without a lease.",
        "architecture §10",
    ),
    (
        "no-gain",
        "An attacker gets no 2xx but to OPTIONS, no ringing, no request, no media, and no more than three times the octets it sent.",
        "RFC 3261 §26.1",
    ),
    (
        "denied-event",
        "The switch tells of no refusal, drop or failure that this world does not declare lawful. An ACK or an answer that comes too late is lawful everywhere.",
        "architecture §12",
    ),
];
