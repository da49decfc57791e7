//! What follows a failed attempt: the whole matrix, and what holds of all of it.

use super::failover::{AttemptFacts, Best, Failure, Outcome, after_failure, best};
use super::*;
use quickcheck::{Arbitrary, Gen, quickcheck};
use std::fmt::Write;

const FAILURES: [Failure; 8] = [
    Failure::Answered,
    Failure::InviteTimeout,
    Failure::AnswerTimeout,
    Failure::Undelivered,
    Failure::Dns,
    Failure::Unavailable,
    Failure::DeadRedirect,
    Failure::Cancelled,
];

/// The policy of a gateway where nothing is configured.
fn by_default() -> StopPolicy {
    let world = world("[[gateway]]\nname = \"g\"\ndirection = \"routing\"\npeers = [\"198.51.100.1\"]\n");
    world.plan(&phone(""), "1").ways.remove(0).policy.failover
}

const SILENT: AttemptFacts =
    AttemptFacts { failure: Failure::Answered, status: 503, had_18x: false, had_sdp: false, had_rtp: false, tried: 1 };

/// A line for each failure and status class: the rule before anything was heard, after 18x, after SDP.
fn matrix(policy: &StopPolicy) -> String {
    const STATUSES: [u16; 34] = [
        200, 300, 302, 305, 380, 400, 401, 402, 403, 404, 407, 408, 410, 415, 420, 422, 423, 480, 481, 482, 483, 484,
        485, 486, 487, 488, 491, 500, 501, 503, 504, 600, 603, 606,
    ];
    let rows = STATUSES.into_iter().map(|status| (Failure::Answered, status));
    let others = FAILURES.into_iter().filter(|failure| *failure != Failure::Answered).map(|failure| (failure, 0));
    let mut text = String::new();
    for (failure, status) in rows.chain(others) {
        let rule = |had_18x, had_sdp| {
            let next = after_failure(policy, &AttemptFacts { failure, status, had_18x, had_sdp, ..SILENT });
            format!("{} {}", if next.goes_on { ">" } else { "." }, next.rule)
        };
        let what = if status == 0 { failure.name().to_owned() } else { status.to_string() };
        let cells = [rule(false, false), rule(true, false), rule(true, true)];
        writeln!(text, "{what:24}{:26}{:26}{}", cells[0], cells[1], cells[2]).expect("a String takes every text");
    }
    text
}

#[test]
fn the_matrix_of_a_gateway_by_default() {
    insta::assert_snapshot!(matrix(&by_default()));
}

#[test]
fn the_matrix_of_a_phone() {
    insta::assert_snapshot!(matrix(&StopPolicy::of_bindings()));
}

#[test]
fn each_parameter_lifts_or_sets_its_stop() {
    let with = |parameters: &str| {
        let text = format!(
            "[parameters]\n{parameters}\n[[gateway]]\nname = \"g\"\ndirection = \"routing\"\npeers = [\"198.51.100.1\"]\n"
        );
        world(&text).plan(&phone(""), "1").ways.remove(0).policy.failover
    };
    let rule = |policy: &StopPolicy, facts: AttemptFacts| after_failure(policy, &facts).rule;
    let heard = AttemptFacts { had_18x: true, had_sdp: true, ..SILENT };
    let media = AttemptFacts { had_rtp: true, ..heard };
    let silence = AttemptFacts { failure: Failure::InviteTimeout, ..SILENT };
    let default = by_default();
    assert_eq!(rule(&default, heard), Rule::SwitchAfterSdp);
    assert_eq!(rule(&default, media), Rule::SwitchAfterRtp);
    assert_eq!(rule(&default, silence), Rule::SwitchTimeout);
    let connect = with("SS_GATEWAY_SWITCH_UNTIL_CONNECT = \"On\"");
    assert_eq!(rule(&connect, heard), Rule::SwitchFailure);
    assert_eq!(rule(&connect, media), Rule::SwitchAfterRtp, "media is a stop of its own");
    let sdp = with("SS_SIP_STOP_SWITCH_AFTER_SDP = \"Off\"");
    assert_eq!(rule(&sdp, heard), Rule::SwitchAfter18x);
    assert_eq!(rule(&sdp, AttemptFacts { had_18x: false, ..heard }), Rule::SwitchFailure);
    let rtp = with("SS_GATEWAY_SWITCH_UNTIL_CONNECT = \"On\"\nSS_GATEWAY_SWITCH_STOP_AFTER_RTP_START = \"Off\"");
    assert_eq!(rule(&rtp, media), Rule::SwitchFailure);
    let limit = with("SS_GATEWAY_SWITCH_LIMIT = 2");
    assert_eq!(rule(&limit, SILENT), Rule::SwitchFailure);
    assert_eq!(rule(&limit, AttemptFacts { tried: 2, ..SILENT }), Rule::SwitchLimit);
    let invite = with("SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT = \"On\"");
    assert_eq!(rule(&invite, silence), Rule::SwitchInviteTimeout);
    assert_eq!(rule(&invite, AttemptFacts { failure: Failure::AnswerTimeout, ..SILENT }), Rule::SwitchTimeout);
}

#[test]
fn a_gateway_says_otherwise() {
    let text = "[parameters]\nSS_GATEWAY_SWITCH_UNTIL_CONNECT = \"On\"\nSS_GATEWAY_SWITCH_LIMIT = 9\n\
                [[gateway]]\nname = \"g\"\ndirection = \"routing\"\npeers = [\"198.51.100.1\"]\n\
                failover = { limit = 1, after_18x = false, after_sdp = false, after_rtp = true, after_busy = true, \
                next = [603, 487], stop = [503] }\n";
    let policy = world(text).plan(&phone(""), "1").ways.remove(0).policy.failover;
    let policy = StopPolicy { limit: Some(2), ..policy };
    let rule = |status, facts: AttemptFacts| after_failure(&policy, &AttemptFacts { status, ..facts }).rule;
    assert_eq!(rule(500, AttemptFacts { had_rtp: true, ..SILENT }), Rule::SwitchFailure);
    assert_eq!(rule(500, AttemptFacts { had_18x: true, ..SILENT }), Rule::SwitchAfter18x);
    assert_eq!(
        [503, 603, 486, 600].map(|s| rule(s, SILENT)),
        [Rule::SwitchStopCode, Rule::SwitchNextCode, Rule::SwitchAfterBusy, Rule::SwitchGlobal]
    );
    assert_eq!(rule(603, AttemptFacts { tried: 2, ..SILENT }), Rule::SwitchLimit, "the limit holds for all");
}

#[derive(Clone, Debug)]
struct Any(StopPolicy, AttemptFacts);

impl Arbitrary for Any {
    fn arbitrary(g: &mut Gen) -> Any {
        let flag = bool::arbitrary;
        let status = |g: &mut Gen| 100 + u16::arbitrary(g) % 700;
        let statuses = |g: &mut Gen| (0..u8::arbitrary(g) % 4).map(|_| status(g)).collect::<Vec<_>>();
        let limit = flag(g).then(|| u16::arbitrary(g) % 4);
        let policy = StopPolicy {
            limit,
            after_18x: flag(g),
            after_sdp: flag(g),
            after_rtp: flag(g),
            after_busy: flag(g),
            after_number: flag(g),
            after_invite_timeout: flag(g),
            next: statuses(g),
            stop: statuses(g),
        };
        let facts = AttemptFacts {
            failure: *g.choose(&FAILURES).expect("there are some"),
            status: if flag(g) { status(g) } else { u16::arbitrary(g) },
            had_18x: flag(g),
            had_sdp: flag(g),
            had_rtp: flag(g),
            tried: u16::arbitrary(g) % 5,
        };
        Any(policy, facts)
    }
}

quickcheck! {
    fn the_rule_says_what_follows(any: Any) -> bool {
        let next = after_failure(&any.0, &any.1);
        next.goes_on == (next.rule.verdict() == Verdict::GoesOn)
            && (next.goes_on || next.rule.verdict() == Verdict::Stops)
    }

    /// Whatever else is the case, nobody hears a second ringing or a second voice against the policy.
    fn what_was_heard_goes_first(any: Any) -> bool {
        let Any(policy, facts) = &any;
        let may_not = facts.had_18x && !policy.after_18x
            || facts.had_sdp && !policy.after_sdp
            || facts.had_rtp && !policy.after_rtp
            || facts.failure == Failure::Cancelled;
        !may_not || !after_failure(policy, facts).goes_on
    }

    /// A policy that stops more never goes on where one that stops less has stopped.
    fn stricter_is_stricter(any: Any) -> bool {
        let Any(policy, facts) = &any;
        let strict = StopPolicy { after_18x: false, after_sdp: false, after_rtp: false, after_busy: false,
            after_number: false, after_invite_timeout: false, next: Vec::new(), ..policy.clone() };
        !after_failure(&strict, facts).goes_on || after_failure(policy, facts).goes_on
    }

    fn the_limit_is_never_passed(any: Any) -> bool {
        let Any(policy, facts) = &any;
        policy.limit.is_none_or(|limit| facts.tried < limit) || !after_failure(policy, facts).goes_on
    }

    /// The caller always gets a final answer, never a challenge that is not for it, and one that an attempt gave only
    /// where it is that attempt's.
    fn the_caller_is_told_something(outcomes: Vec<u16>, which: usize) -> bool {
        let outcome = |(i, status): (usize, &u16)| Outcome {
            failure: FAILURES[(which / (i + 1)) % FAILURES.len()],
            status: 300 + status % 400,
        };
        let outcomes: Vec<Outcome> = outcomes.iter().enumerate().map(outcome).collect();
        let Best { status, attempt, .. } = best(&outcomes);
        (300..700).contains(&status)
            && ![401, 407].contains(&status)
            && attempt.is_none_or(|at| {
                let is_theirs = matches!(outcomes[at].failure, Failure::Answered | Failure::DeadRedirect);
                outcomes[at].status == status && is_theirs
            })
    }
}

#[test]
fn the_best_answer() {
    let answered = |status| Outcome { failure: Failure::Answered, status };
    let failed = |failure| Outcome { failure, status: 0 };
    let told = |outcomes: &[Outcome]| {
        let best = best(outcomes);
        (best.status, best.attempt, best.rule)
    };
    assert_eq!(told(&[]), (503, None, Rule::AnswerOwn));
    assert_eq!(told(&[answered(503), answered(404)]), (404, Some(1), Rule::AnswerBest));
    assert_eq!(told(&[answered(404), answered(486), answered(480)]), (486, Some(1), Rule::AnswerBest));
    assert_eq!(told(&[answered(486), answered(484)]), (484, Some(1), Rule::AnswerBest));
    assert_eq!(told(&[answered(404), answered(603), answered(600)]), (603, Some(1), Rule::AnswerGlobal));
    assert_eq!(told(&[answered(302), answered(404)]), (302, Some(0), Rule::AnswerBest));
    assert_eq!(told(&[answered(407)]), (503, None, Rule::AnswerOwn));
    assert_eq!(told(&[answered(407), answered(500)]), (500, Some(1), Rule::AnswerBest));
    assert_eq!(told(&[failed(Failure::InviteTimeout), answered(480)]), (480, Some(1), Rule::AnswerBest));
    assert_eq!(told(&[failed(Failure::InviteTimeout), answered(503)]), (408, None, Rule::AnswerOwn));
    assert_eq!(told(&[failed(Failure::AnswerTimeout)]), (480, None, Rule::AnswerOwn));
    let nowhere = Outcome { failure: Failure::DeadRedirect, status: 302 };
    assert_eq!(told(&[nowhere]), (302, Some(0), Rule::AnswerBest), "the caller may follow what nobody here can");
    assert_eq!(told(&[failed(Failure::Undelivered)]), (503, None, Rule::AnswerOwn));
    assert_eq!(told(&[answered(486), failed(Failure::Cancelled)]), (487, None, Rule::AnswerCancelled));
}
