//! From what a peer says, a SIP status or a Reason header, to the reason in the CDR; and between SIP statuses and Q.850
//! causes by the tables of RFC 3398.

use super::EndReason;
use crate::sip::{Message, ReasonValue};

/// The Q.850 cause of a final SIP status (RFC 3398 §8.2.6.1), 1 to 127. Statuses that the table leaves out have the cause
/// of their class.
pub fn cause_of_status(status: u16) -> u8 {
    match status {
        404 | 485 | 604 => 1,
        // the call was cleared before an answer, on whichever side
        ..300 | 487 => 16,
        486 | 600 => 17,
        480 => 18,
        401..=403 | 407 | 603 | 607 | 608 => 21,
        410 => 22,
        482 | 483 => 25,
        484 => 28,
        502 => 38,
        400 | 481 | 500 | 503 => 41,
        405 => 63,
        // RFC 3398 goes by the Warning header; most of them are about codecs
        488 | 606 => 65,
        406 | 415 | 501 => 79,
        408 | 504 => 102,
        505 | 513 => 127,
        500..600 => 41,
        _ => 127,
    }
}

/// The final SIP status of a Q.850 cause (RFC 3398 §7.2.4.1), 400 to 699. Causes that the table leaves out have the status
/// of their class, which Q.850 has in the upper three of their seven bits.
pub fn status_of_cause(cause: u8) -> u16 {
    match cause {
        1..=3 | 26 => 404,
        17 => 486,
        18 => 408,
        // 16, normal clearing, says nothing to one who still waits but that there will be no answer
        16 | 19 | 20 | 31 => 480,
        21 | 55 | 57 | 87 => 403,
        22 | 23 => 410,
        25 => 483,
        27 => 502,
        28 => 484,
        29 | 79 => 501,
        34 | 38 | 41 | 42 | 47 | 58 | 88 => 503,
        65 | 70 => 488,
        102 => 504,
        0..32 => 480,
        32..48 => 503,
        48..64 => 403,
        64..80 => 501,
        _ => 500,
    }
}

impl EndReason {
    /// What a final status of a peer says by itself.
    pub fn of_status(status: u16) -> EndReason {
        match status {
            ..300 => EndReason::Normal,
            300..400 => EndReason::Redirected,
            404 | 410 | 485 | 604 => EndReason::NotFound,
            408 | 504 => EndReason::ResponseTimeout,
            415 | 488 | 606 => EndReason::CodecMismatch,
            420 | 421 | 501 | 505 => EndReason::ProtocolLimit,
            480 => EndReason::NotOnline,
            482 | 483 => EndReason::Loop,
            484 => EndReason::IncompleteNumber,
            486 | 600 => EndReason::Busy,
            487 => EndReason::Cancelled,
            500..600 => EndReason::ServerFailure,
            _ => EndReason::Rejected,
        }
    }

    /// What a Q.850 cause says; `None` where it says no more than that the call was cleared (16, 31), that networks do not
    /// understand each other (127), or nothing that we know.
    pub fn of_cause(cause: u8) -> Option<EndReason> {
        Some(match cause {
            1 | 22 => EndReason::NotFound,
            2 | 3 => EndReason::NoRoute,
            17 => EndReason::Busy,
            18 | 102 => EndReason::ResponseTimeout,
            19 => EndReason::NoAnswer,
            20 => EndReason::NotOnline,
            21 | 55 | 57 | 87 => EndReason::Rejected,
            25 => EndReason::Loop,
            26 => EndReason::AnsweredElsewhere,
            28 => EndReason::IncompleteNumber,
            34 | 42 | 44 | 47 => EndReason::Congestion,
            27 | 38 | 41 => EndReason::ServerFailure,
            58 | 65 | 70 | 88 => EndReason::CodecMismatch,
            79 => EndReason::ProtocolLimit,
            95..=101 | 103..=111 => EndReason::ProtocolError,
            _ => return None,
        })
    }

    /// Why a peer ends a call: the status it answers with, or 200 for its BYE and 487 for its CANCEL, made more precise by
    /// the Reason header of that message (RFC 3326).
    ///
    /// A gateway's Q.850 cause is what the far network said, and the status only what became of it, so the cause goes
    /// first; but what cannot befall such a call is not believed.
    pub fn from_peer(status: u16, message: &Message<'_>) -> EndReason {
        let plain = EndReason::of_status(status);
        let said = message.reasons().find_map(|value| said(&value));
        match (plain, said) {
            // An answered call is no longer busy, rejected or unknown; a trouble that cut it off is worth knowing.
            (EndReason::Normal, Some(said)) => Some(said).filter(|said| said.can_cut_off()).unwrap_or(plain),
            // Who cancels says so of himself: that another phone answered, or that his network waited no longer.
            (EndReason::Cancelled, Some(EndReason::AnsweredElsewhere)) => EndReason::AnsweredElsewhere,
            (EndReason::Cancelled, Some(EndReason::NoAnswer | EndReason::ResponseTimeout)) => EndReason::NoAnswer,
            (EndReason::Cancelled | EndReason::Redirected, _) | (_, None) => plain,
            (_, Some(said)) => said,
        }
    }

    fn can_cut_off(self) -> bool {
        matches!(
            self,
            EndReason::ServerFailure
                | EndReason::Congestion
                | EndReason::CodecMismatch
                | EndReason::ProtocolError
                | EndReason::SessionTimeout
                | EndReason::ResponseTimeout
        )
    }
}

/// What one value of a Reason header says.
fn said(value: &ReasonValue<'_>) -> Option<EndReason> {
    let cause = value.cause?;
    if value.is("Q.850") {
        return EndReason::of_cause(u8::try_from(cause).ok()?);
    }
    match cause {
        _ if !value.is("SIP") => None,
        // "Call completed elsewhere" (RFC 3326 §3.1)
        200 => Some(EndReason::AnsweredElsewhere),
        // by itself no more than the CANCEL it stands in
        487 => None,
        300..700 => Some(EndReason::of_status(cause)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Index, Scanned, scan};

    /// What the CDR says of a message that ends a call so, with these Reason lines.
    fn from_peer(status: u16, reasons: &str) -> EndReason {
        let text = format!("BYE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n{reasons}\r\n");
        let mut index = Index::default();
        let Ok(Scanned::Message(message)) = scan(text.as_bytes(), &mut index) else { panic!("no message: {text}") };
        EndReason::from_peer(status, &message)
    }

    #[test]
    fn the_status_alone() {
        assert_eq!(from_peer(200, ""), EndReason::Normal);
        assert_eq!(from_peer(487, ""), EndReason::Cancelled);
        assert_eq!(from_peer(486, "Reason: X;cause=1\r\n"), EndReason::Busy);
        assert_eq!(from_peer(603, "Reason: Q.850\r\n"), EndReason::Rejected);
    }

    #[test]
    fn a_gateways_cause_goes_before_the_status_that_became_of_it() {
        assert_eq!(from_peer(480, "Reason: Q.850;cause=19;text=\"no answer\"\r\n"), EndReason::NoAnswer);
        assert_eq!(from_peer(503, "Reason: SIP;cause=503, Q.850 ;cause=34\r\n"), EndReason::ServerFailure);
        assert_eq!(from_peer(503, "Reason: q.850 ; cause = 34\r\n"), EndReason::Congestion);
        assert_eq!(from_peer(480, "Reason: Q.850;cause=16\r\n"), EndReason::NotOnline);
    }

    #[test]
    fn a_cancel_that_says_completed_elsewhere() {
        // RFC 3326 §2, as printed
        let completed = "Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\"\r\n";
        assert_eq!(from_peer(487, completed), EndReason::AnsweredElsewhere);
        assert_eq!(from_peer(487, "Reason: Q.850;cause=102\r\n"), EndReason::NoAnswer);
        assert_eq!(from_peer(487, "Reason: SIP;cause=600;text=\"Busy Everywhere\"\r\n"), EndReason::Cancelled);
    }

    #[test]
    fn a_bye_is_normal_unless_it_names_a_trouble_that_cuts_off() {
        assert_eq!(from_peer(200, "Reason: Q.850 ;cause=16 ;text=\"Terminated\"\r\n"), EndReason::Normal);
        assert_eq!(from_peer(200, "Reason: Q.850;cause=17\r\n"), EndReason::Normal);
        assert_eq!(from_peer(200, "Reason: Q.850;cause=41\r\n"), EndReason::ServerFailure);
        // RFC 3326 §3.2
        assert_eq!(from_peer(200, "Reason: SIP;cause=488\r\n"), EndReason::CodecMismatch);
    }

    #[test]
    fn every_status_and_cause_maps_into_its_range() {
        for status in 0..=u16::MAX {
            assert!((1..128).contains(&cause_of_status(status)), "{status}");
            let reason = EndReason::of_status(status);
            assert_eq!(status < 300, reason == EndReason::Normal, "{status}");
        }
        for cause in 0..=u8::MAX {
            assert!((400..700).contains(&status_of_cause(cause)), "{cause}");
        }
    }

    /// The other way round than RFC 3398 has it for 480 alone: its cause 18 is nearer to a timeout.
    #[test]
    fn a_status_and_the_cause_it_becomes_say_the_same() {
        for status in [404, 410, 482, 484, 486, 488, 500, 501, 502, 503, 504, 600, 603, 604] {
            assert_eq!(EndReason::of_cause(cause_of_status(status)), Some(EndReason::of_status(status)), "{status}");
        }
    }

    #[test]
    fn each_reasons_cause_leads_back_to_it_or_to_a_neighbour() {
        for &reason in EndReason::ALL {
            if let Some(found) = EndReason::of_cause(reason.q850()) {
                assert_eq!(found.q850() / 16, reason.q850() / 16, "{reason:?} and {found:?} are of one class of Q.850");
            }
        }
    }
}
