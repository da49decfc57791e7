//! The catalogue: every check by its id and what it demands. `docs/checks.md` is written from it.

/// Every check: its id, what it demands, and where that is written.
pub const CATALOGUE: &[(&str, &str, &str)] = &[
    ("phone", "No phone, which is a strict user agent, holds anything against the switch.", "RFC 3261"),
    ("left-in-call", "Nobody is left with a call that the other side has ended.", "RFC 3261 §15"),
    (
        "unanswered-invite",
        "Every INVITE of a phone has a final answer, unless its caller gave up before.",
        "RFC 3261 §17.2.1",
    ),
    ("one-cdr", "One record for every call that started, and none besides.", "behaviour 1(f)"),
    (
        "cdr-agrees",
        "A record agrees with what the caller was told and with whether the callee answered.",
        "behaviour 1(f)",
    ),
    (
        "residue",
        "Where nothing goes on, the switch holds no calls, transactions, timers, timers without an owner, names of dialogs, and no load of calls.",
        "architecture §10",
    ),
    ("topology", "What a leg carries outside of its body names no address of another leg's side.", "RFC 7092 §3.1.3"),
    (
        "denied-event",
        "The switch tells of no refusal, drop or failure that this world does not declare lawful.",
        "architecture §12",
    ),
];
