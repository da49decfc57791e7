//! Why a call ended, or one way that was tried for it: the table, the one place where an end gets its name, its SIP status
//! and its Q.850 cause. `docs/end-reasons.md` is written from it; `causes.rs` finds the reason for what a peer says.

use serde::{Deserialize, Serialize};

/// `None` stands where nobody can be waiting any longer: the call was answered, or nothing is left that could answer.
macro_rules! end_reasons {
    ($($(#[doc = $meaning:literal])+ $variant:ident = $name:literal, $waiting:expr, $cause:literal;)+) => {
        /// Why a call ended, or one way that was tried for it. Each has one name, the same in the CDR, the log, the API and
        /// the Reason header.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum EndReason {
            $($(#[doc = $meaning])+ #[serde(rename = $name)] $variant,)+
        }

        impl EndReason {
            /// Every reason.
            pub const ALL: &'static [EndReason] = &[$(EndReason::$variant),+];

            const ROWS: &'static [Row] = &[$(Row {
                name: $name,
                meaning: concat!($($meaning),+),
                waiting: $waiting,
                cause: $cause,
                header: concat!("Reason: Q.850;cause=", $cause, ";text=\"", $name, "\"\r\n"),
            }),+];
        }
    };
}

struct Row {
    name: &'static str,
    meaning: &'static str,
    waiting: Option<u16>,
    cause: u8,
    header: &'static str,
}

// Name, final status for a caller that still waits, Q.850 cause. Statuses are those by which the caller's side knows what
// to do next: 503 sends it to another switch, so it stands only where every further call would fare alike (RFC 3261
// §16.7 step 6).
end_reasons! {
    // the parties
    /// A side hung up an answered call.
    Normal = "normal", None, 16;
    /// The caller gave up before an answer (CANCEL).
    Cancelled = "cancelled", Some(487), 16;
    /// The callee is busy (486, 600).
    Busy = "busy", Some(486), 17;
    /// The callee refused (403, 603, and what has no name of its own).
    Rejected = "rejected", Some(403), 21;
    /// It rang for SS_SIP_TIMEOUT_RINGING without an answer, or the far side says so (480 with cause 19).
    NoAnswer = "no_answer", Some(480), 19;
    /// Another phone or branch of the same call answered, or the caller's own network says so when it cancels.
    AnsweredElsewhere = "answered_elsewhere", Some(487), 26;
    /// The call was handed over: a transfer (REFER) succeeded, and this call made room for the new one.
    Transferred = "transferred", None, 16;
    /// Another call took this one's place (INVITE with Replaces).
    Replaced = "replaced", Some(487), 16;
    /// The callee sent the caller to another number (3xx), and policy passes that on.
    Redirected = "redirected", Some(302), 23;

    // the number
    /// Nobody has this number (404, 410, 604).
    NotFound = "not_found", Some(404), 1;
    /// Digits are missing (484).
    IncompleteNumber = "incomplete_number", Some(484), 28;
    /// A rule of the caller's or the callee's side does not let this caller or this number through.
    NumberDenied = "number_denied", Some(403), 21;
    /// The number is ours but no phone is registered for it (480).
    NotOnline = "called_not_online", Some(480), 20;
    /// No gateway takes this number.
    NoRoute = "no_available_router", Some(404), 3;

    // the caller's account
    /// The caller's phone or gateway should be registered and is not.
    Unregistered = "unregistered", Some(403), 21;
    /// The caller's account is locked.
    AccountLocked = "account_locked", Some(403), 21;
    /// The caller's account does not cover the call.
    InsufficientBalance = "insufficient_balance", Some(402), 21;
    /// No rate is known for the number, so the call cannot be charged.
    RateNotFound = "rate_not_found", Some(403), 21;

    // limits
    /// Every gateway that takes it is full.
    Capacity = "connection_limit_exceeded", Some(503), 34;
    /// The phone has as many calls as it may have.
    PhoneLimit = "phone_limit_exceeded", Some(486), 17;
    /// The switch has as many calls as it may have.
    SwitchLimit = "switch_limit_exceeded", Some(503), 42;
    /// The far side says that it is full (503 with cause 34, 42, 44 or 47).
    Congestion = "congestion", Some(503), 42;
    /// The relay has no port, or no room, for its media.
    NoMediaPorts = "no_media_ports", Some(503), 47;
    /// The conversation reached its longest time.
    MaxDuration = "max_duration", None, 31;

    // the far side, and the way there
    /// The far side did not answer the INVITE, or made no progress in the time it has for it (408, 504).
    ResponseTimeout = "response_timeout", Some(408), 102;
    /// Nothing listens at the far side's address, or it cannot be reached.
    ConnectionTimeout = "connection_timeout", Some(503), 38;
    /// The far side's host name has no address, or no name server answers.
    DnsFailure = "dns_failure", Some(503), 38;
    /// The far side broke down (5xx).
    ServerFailure = "server_failure", Some(500), 41;
    /// The gateway does not accept the credentials the switch has for it (401 or 407 again, 403 to an answer).
    CredentialsRejected = "credentials_rejected", Some(503), 21;
    /// This way was left for the next one; the call itself goes on.
    FailedOver = "failed_over", Some(487), 102;
    /// Redirections (3xx) led back to where the call had been, or were too many.
    RedirectLoop = "redirect_loop", Some(482), 25;
    /// The call came back to where it had been, or passed more hops than it may (482, 483).
    Loop = "loop_detected", Some(482), 25;

    // the protocol
    /// The codecs do not meet (488, 606, 415).
    CodecMismatch = "codec_mismatch", Some(488), 65;
    /// A side demands an extension or a protocol that the other or the switch does not carry (420, 421, 501, 505).
    ProtocolLimit = "protocol_limit", Some(501), 79;
    /// A 2xx was sent and no ACK came for 64*T1 (RFC 3261 §13.3.1.4).
    NoAck = "no_ack", None, 102;
    /// A provisional answer was sent reliably and no PRACK came for 64*T1 (RFC 3262 §3).
    NoPrack = "no_prack", Some(504), 102;
    /// A request inside the dialog found no dialog at the far side, or no answer (408, 481).
    DialogGone = "dialog_gone", None, 41;
    /// A session was not refreshed in its time (RFC 4028).
    SessionTimeout = "session_timeout", None, 102;
    /// A message of the far side broke the protocol.
    ProtocolError = "protocol_error", Some(502), 111;

    // the switch
    /// An operator hung the call up.
    Operator = "operator", Some(480), 31;
    /// The switch is being taken out of service.
    Draining = "draining", Some(503), 41;
    /// The process was killed while the call was up; written by the next run from the journal.
    Interrupted = "interrupted", None, 41;
}

/// What the branches that lost are told, word for word as RFC 3326 §2 has it: phones that know it show no missed call.
const ELSEWHERE: &str = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n";

impl EndReason {
    fn row(self) -> &'static Row {
        &EndReason::ROWS[self as usize]
    }

    /// The word in the CDR.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        self.row().meaning.trim_ascii()
    }

    /// The final SIP status, 300 to 699, for a caller that still waits for an answer; `None` where none can be waiting.
    pub fn waiting_status(self) -> Option<u16> {
        self.row().waiting
    }

    /// The SIP status in the CDR and towards the caller: 200 where the call was answered, else
    /// [`EndReason::waiting_status`].
    pub fn status(self, is_answered: bool) -> u16 {
        match (is_answered, self.row().waiting) {
            (true, _) => 200,
            (false, Some(status)) => status,
            // A caller that waits all the same gets an answer, and one that sends nobody elsewhere.
            (false, None) => 480,
        }
    }

    /// The ITU-T Q.850 cause, 1 to 127.
    pub fn q850(self) -> u8 {
        self.row().cause
    }

    /// The Reason header line (RFC 3326), line end included, of a BYE or CANCEL that the switch sends for this reason.
    /// Empty where none is sent.
    pub fn header(self) -> &'static [u8] {
        match self {
            EndReason::AnsweredElsewhere => ELSEWHERE.as_bytes(),
            // the process that could have said it is gone
            EndReason::Interrupted => b"",
            _ => self.row().header.as_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EndReason;

    #[test]
    fn rows_stand_in_the_order_of_their_variants() {
        assert_eq!(EndReason::ALL.len(), EndReason::ROWS.len());
        for (at, &reason) in EndReason::ALL.iter().enumerate() {
            assert_eq!(reason as usize, at);
            assert_eq!(word_of_serde(reason), reason.name());
        }
    }

    /// The word that serde writes.
    fn word_of_serde(reason: EndReason) -> String {
        serde_json::to_value(reason).expect("a unit variant is a text").as_str().expect("a text").to_owned()
    }

    #[test]
    fn statuses_and_causes_are_in_their_ranges_and_names_are_single() {
        for &reason in EndReason::ALL {
            assert!(reason.waiting_status().is_none_or(|status| (300..700).contains(&status)), "{reason:?}");
            assert!((1..128).contains(&reason.q850()), "{reason:?}");
            assert!(reason.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{reason:?}");
            assert!(reason.meaning().ends_with('.'), "{reason:?}");
            assert_eq!(EndReason::ALL.iter().filter(|other| other.name() == reason.name()).count(), 1, "{reason:?}");
        }
    }

    #[test]
    fn who_waits_is_never_told_that_the_call_was_answered() {
        for &reason in EndReason::ALL {
            assert!(reason.status(false) >= 300, "{reason:?}");
            assert_eq!(reason.status(true), 200);
        }
        assert_eq!((EndReason::Busy.status(false), EndReason::MaxDuration.status(false)), (486, 480));
    }

    #[test]
    fn the_header_says_the_cause_and_the_name() {
        assert_eq!(EndReason::Normal.header(), b"Reason: Q.850;cause=16;text=\"normal\"\r\n");
        assert_eq!(EndReason::NoAck.header(), b"Reason: Q.850;cause=102;text=\"no_ack\"\r\n");
        assert_eq!(
            EndReason::AnsweredElsewhere.header(),
            b"Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"
        );
    }
}
