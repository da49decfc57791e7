//! Plain integers that a driver reads when somebody asks.

use crate::reason::reasons;
use serde::{Deserialize, Serialize};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// What the switch has counted since it began.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: u64,)+
            /// Inputs dropped, by reason, in the order of [`DropReason::ALL`].
            pub dropped: [u64; DropReason::ALL.len()],
        }

        impl Counters {
            /// Every counter's name, help text and value, but for the drops.
            pub fn list(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$((stringify!($name), concat!($($doc),+).trim_ascii(), self.$name),)+]
            }
        }
    };
}

counters! {
    /// Datagrams received.
    datagrams_in,
    /// Messages sent, resends included.
    messages_out,
    /// Requests received and understood, retransmissions included.
    requests_in,
    /// Responses received and understood, retransmissions included.
    responses_in,
    /// Retransmitted requests and responses that a transaction absorbed.
    absorbed,
    /// Requests and responses that we sent again.
    resent,
    /// Keep-alives received (CRLF, RFC 5626 §3.5.1).
    keep_alives_in,
    /// Readings of the monotonic clock that went backwards.
    clock_regressions,
    /// Ticks after which a deadline was still due because the turn's budget was used up.
    ticks_over_budget,
    /// Challenges sent (401 and 407).
    challenges,
    /// Credentials accepted.
    auth_accepted,
    /// Credentials refused.
    auth_refused,
    /// REGISTER requests answered 200.
    registrations,
    /// Calls that came in.
    calls_started,
    /// Calls that were answered.
    calls_answered,
    /// Calls that have ended.
    calls_ended,
    /// Relayed calls in which one side was not heard ten seconds after the answer.
    calls_one_way,
    /// Rounds of OPTIONS to gateways.
    ping_rounds,
    /// Rounds of OPTIONS that no peer of the gateway answered.
    ping_rounds_failed,
    /// Times that a gateway was found down.
    trunks_down,
    /// Times that a gateway's Retry-After kept calls away.
    trunks_held,
    /// Registrations of ours that a gateway granted, refreshes included.
    trunk_registrations,
    /// Attempts to register at a gateway that failed.
    trunk_registrations_failed,
    /// Datagrams that the system could not deliver.
    undelivered,
    /// Messages sent to nameservers.
    dns_queries,
    /// Answers of nameservers that fit no question.
    dns_foreign,
}

reasons! {
    /// Why an input was dropped without an answer.
    DropReason:
    /// The datagram is no SIP message at all.
    NotSip = "not-sip",
    /// A request so broken that no answer to it can be built.
    BrokenRequest = "broken-request",
    /// A response that breaks the grammar or the sanity rules.
    BrokenResponse = "broken-response",
    /// A response that no transaction of ours awaits.
    StrayResponse = "stray-response",
    /// An ACK that belongs to nothing we hold.
    StrayAck = "stray-ack",
    /// A response whose top Via is not ours.
    ForeignVia = "foreign-via",
    /// A message from an address to which an answer cannot be sent (port 0, multicast, unspecified).
    UnusableSource = "unusable-source",
    /// A bound of `limits.rs` is reached and no answer may be given either.
    Overload = "overload",
}

impl Counters {
    /// Counts one dropped input.
    pub fn drop_one(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }
}
