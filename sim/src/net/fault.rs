//! What a test scripts on one link: the n-th message of a kind meets a fate.

use serde::{Deserialize, Serialize};

/// What a scripted fault does to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is lost.
    Lose,
    /// It arrives so many microseconds later than it would.
    Delay(u64),
    /// It arrives twice.
    Double,
}

/// A scripted fault: what happens to the n-th message of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    kind: String,
    nth: u32,
    #[serde(skip)]
    seen: u32,
    fate: Fate,
}

impl Fault {
    /// `kind` is a method (`INVITE`) or a status and the method it answers (`200 INVITE`); `nth` counts from 1, resends
    /// included.
    pub fn new(kind: &str, nth: u32, fate: Fate) -> Fault {
        Fault { kind: kind.to_owned(), nth, seen: 0, fate }
    }

    fn strikes(&mut self, kind: &str) -> bool {
        if self.kind == kind {
            self.seen += 1;
        }
        self.kind == kind && self.seen == self.nth
    }
}

/// What all faults together do to one datagram.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Struck {
    pub(super) is_lost: bool,
    pub(super) is_doubled: bool,
    pub(super) delay_us: u64,
}

/// What these faults do to this datagram; it is only read where there are any.
pub(super) fn strike(faults: &mut [Fault], datagram: &[u8]) -> Struck {
    let mut struck = Struck::default();
    if faults.is_empty() {
        return struck;
    }
    let kind = kind_of(datagram);
    for fault in faults.iter_mut() {
        if fault.strikes(&kind) {
            match fault.fate {
                Fate::Lose => struck.is_lost = true,
                Fate::Double => struck.is_doubled = true,
                Fate::Delay(us) => struck.delay_us += us,
            }
        }
    }
    struck
}

/// What a [`Fault`] calls this datagram: its method, or its status and CSeq method; empty where it is no SIP.
///
/// ```
/// use crosspoint_sim::net::kind_of;
///
/// assert_eq!(kind_of(b"SIP/2.0 180 Ringing\r\nCSeq: 2 INVITE\r\n\r\n"), "180 INVITE");
/// assert_eq!(kind_of(b"BYE sip:bob@192.0.2.4 SIP/2.0\r\n\r\n"), "BYE");
/// ```
pub fn kind_of(datagram: &[u8]) -> String {
    let text = String::from_utf8_lossy(datagram);
    let first = text.lines().next().unwrap_or_default();
    let words: Vec<&str> = first.split(' ').collect();
    match words[..] {
        ["SIP/2.0", status, ..] => {
            let cseq = text.lines().find_map(|line| line.strip_prefix("CSeq:"));
            let method = cseq.and_then(|value| value.split_whitespace().nth(1)).unwrap_or_default();
            format!("{status} {method}")
        }
        [method, _, "SIP/2.0"] => method.to_owned(),
        _ => String::new(),
    }
}
