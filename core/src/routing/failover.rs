//! What follows when an attempt has failed: another way, or the end; and what the caller is told then.
//!
//! | order | rule | when | |
//! |---|---|---|---|
//! | 1 | `switch.connected` | 2xx | stops |
//! | 2 | `switch.cancelled` | the caller gave up | stops |
//! | 3 | `switch.after-rtp` | media has flowed, and not `after_rtp` | stops |
//! | 4 | `switch.after-sdp` | a provisional answer had SDP, and not `after_sdp` | stops |
//! | 5 | `switch.after-18x` | it rang, and not `after_18x` | stops |
//! | 6 | `switch.stop-code`, `switch.next-code` | the gateway's own lists of statuses | stops, goes on |
//! | 7 | `switch.busy`, `switch.after-busy` | 486, by `after_busy` | stops, goes on |
//! | 8 | `switch.global` | 6xx | stops |
//! | 9 | `switch.redirected` | 3xx | stops |
//! | 10 | `switch.number` | 410, 484, 485, 487, but not of a phone's device | stops |
//! | 11 | `switch.failure` | every other 4xx and 5xx | goes on |
//!
//! Where no final answer came, 6 to 11 are replaced by the rule of the failure: `switch.timeout` (or
//! `switch.invite-timeout`), `switch.unreachable`, `switch.unavailable`, `switch.media-ports` (which stops: no other way has more), `switch.dead-redirect`. Whatever would go on
//! stops by `switch.limit` where as many gateways have been tried as may be.
//!
//! The line between "goes on" and "stops" is RFC 3261's own: a 4xx or 5xx says that this server cannot serve the request,
//! another may (§7.2, §21.4); a 6xx that none can (§21.6). What says something about the callee or the number, not about
//! the server, is the same everywhere and stops. What the caller has heard comes before all of it: nobody hears a second
//! ringing unless the operator asked for it.

use super::policy::StopPolicy;
use super::rule::{Rule, Verdict};
use serde::{Deserialize, Serialize};

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// With a final answer, of which the status is given.
    Answered,
    /// No answer of any kind came: SS_SIP_TIMEOUT_INVITE, or Timer B.
    InviteTimeout,
    /// A provisional answer came, a final one not in time: any other call timer.
    AnswerTimeout,
    /// Nothing listens there (ICMP), or the transport refused.
    Undelivered,
    /// Its name does not resolve.
    Dns,
    /// When its turn came it was at its limit or out of use, or there was no room: it was not tried.
    Unavailable,
    /// The relay has no ports for its media.
    NoMediaPorts,
    /// It answered 3xx, was to be followed, and no contact can be called.
    DeadRedirect,
    /// The caller gave up.
    Cancelled,
}

impl Failure {
    /// In words, for explanations.
    pub fn name(self) -> &'static str {
        match self {
            Failure::Answered => "refused",
            Failure::InviteTimeout => "no answer of any kind",
            Failure::AnswerTimeout => "no answer in time",
            Failure::Undelivered => "nothing listens there",
            Failure::Dns => "no address",
            Failure::Unavailable => "full or out of use",
            Failure::NoMediaPorts => "no media ports",
            Failure::DeadRedirect => "redirected nowhere",
            Failure::Cancelled => "cancelled",
        }
    }
}

/// What is known of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptFacts {
    /// How it failed.
    pub failure: Failure,
    /// The status of its final answer; looked at only where there was one.
    pub status: u16,
    /// Whether a provisional answer other than 100 came.
    pub had_18x: bool,
    /// Whether a provisional answer had SDP.
    pub had_sdp: bool,
    /// Whether media of it has reached the caller.
    pub had_rtp: bool,
    /// Gateways tried for the call so far, this one included.
    pub tried: u16,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// Whether the next way is tried, if there is one.
    pub goes_on: bool,
    /// The rule that says so.
    pub rule: Rule,
}

/// Whether another way is tried after this one has failed. Pure, and total over statuses 0 to 65535.
pub fn after_failure(policy: &StopPolicy, facts: &AttemptFacts) -> Next {
    let rule = heard(policy, facts).unwrap_or_else(|| failed(policy, facts));
    let is_over = policy.limit.is_some_and(|limit| facts.tried >= limit);
    let rule = if rule.verdict() == Verdict::GoesOn && is_over { Rule::SwitchLimit } else { rule };
    Next { goes_on: rule.verdict() == Verdict::GoesOn, rule }
}

/// What the caller has heard, or done, may end the search whatever the failure.
fn heard(policy: &StopPolicy, facts: &AttemptFacts) -> Option<Rule> {
    let is_answered = facts.failure == Failure::Answered;
    [
        (is_answered && facts.status / 100 == 2, Rule::SwitchConnected),
        (facts.failure == Failure::Cancelled, Rule::SwitchCancelled),
        (facts.had_rtp && !policy.after_rtp, Rule::SwitchAfterRtp),
        (facts.had_sdp && !policy.after_sdp, Rule::SwitchAfterSdp),
        (facts.had_18x && !policy.after_18x, Rule::SwitchAfter18x),
    ]
    .into_iter()
    .find_map(|(applies, rule)| applies.then_some(rule))
}

fn failed(policy: &StopPolicy, facts: &AttemptFacts) -> Rule {
    match facts.failure {
        Failure::Answered => answered(policy, facts.status),
        Failure::InviteTimeout if !policy.after_invite_timeout => Rule::SwitchInviteTimeout,
        Failure::InviteTimeout | Failure::AnswerTimeout => Rule::SwitchTimeout,
        Failure::Undelivered | Failure::Dns => Rule::SwitchUnreachable,
        Failure::Unavailable => Rule::SwitchUnavailable,
        Failure::NoMediaPorts => Rule::SwitchMediaPorts,
        Failure::DeadRedirect => Rule::SwitchDeadRedirect,
        Failure::Cancelled => Rule::SwitchCancelled,
    }
}

fn answered(policy: &StopPolicy, status: u16) -> Rule {
    match status {
        _ if policy.stop.contains(&status) => Rule::SwitchStopCode,
        _ if policy.next.contains(&status) => Rule::SwitchNextCode,
        // A 600 says that the callee is busy wherever it is: it counts with the other 6xx.
        486 if !policy.after_busy => Rule::SwitchBusy,
        486 => Rule::SwitchAfterBusy,
        600.. => Rule::SwitchGlobal,
        300..400 => Rule::SwitchRedirected,
        410 | 484 | 485 | 487 if !policy.after_number => Rule::SwitchNumber,
        _ => Rule::SwitchFailure,
    }
}

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it failed.
    pub failure: Failure,
    /// The status of its final answer, where there was one.
    pub status: u16,
}

/// What the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Best {
    /// The status.
    pub status: u16,
    /// The attempt whose final answer is passed on; `None` where the switch answers for itself.
    pub attempt: Option<usize>,
    /// The rule that chose.
    pub rule: Rule,
}

/// What is between a gateway and the switch: our credentials (401, 407, 494), our account (402), our timers (422, 423).
/// To the caller it is a gateway out of order.
const HIDDEN: [u16; 6] = [401, 402, 407, 422, 423, 494];

/// What the caller is told when every way has failed (RFC 3261 §16.7 step 6). A 503 stays one: the switch is a user agent
/// to its caller, not a proxy, and means itself (RFC 3261 §21.5.4); no Retry-After of a gateway is passed on.
pub fn best(outcomes: &[Outcome]) -> Best {
    if outcomes.iter().any(|outcome| outcome.failure == Failure::Cancelled) {
        return Best { status: 487, attempt: None, rule: Rule::AnswerCancelled };
    }
    let seen = outcomes.iter().map(|outcome| outcome.seen()).enumerate();
    let Some((attempt, (status, is_theirs))) = seen.min_by_key(|(_, (status, is_theirs))| (rank(*status), !is_theirs))
    else {
        return Best { status: 503, attempt: None, rule: Rule::AnswerOwn };
    };
    let rule = match is_theirs {
        true if status >= 600 => Rule::AnswerGlobal,
        true => Rule::AnswerBest,
        false => Rule::AnswerOwn,
    };
    Best { status, attempt: is_theirs.then_some(attempt), rule }
}

/// Smaller is better.
fn rank(status: u16) -> (u16, u8) {
    let class = if status >= 600 { 0 } else { status / 100 };
    let within = match status {
        // These tell the caller what to change (RFC 3261 §16.7 step 6).
        415 | 420 | 484 => 0,
        486 => 1,
        408 => 3,
        _ => 2,
    };
    (class, within)
}

impl Outcome {
    /// The status that counts, and whether it is the far side's own.
    fn seen(self) -> (u16, bool) {
        match self.failure {
            // A redirection that nobody here can follow the caller may.
            Failure::Answered | Failure::DeadRedirect if HIDDEN.contains(&self.status) => (503, false),
            Failure::Answered | Failure::DeadRedirect => (self.status, true),
            Failure::InviteTimeout => (408, false),
            Failure::AnswerTimeout => (480, false),
            Failure::Undelivered | Failure::Dns | Failure::Unavailable | Failure::NoMediaPorts => (503, false),
            Failure::Cancelled => (487, false),
        }
    }
}
