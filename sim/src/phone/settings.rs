//! What makes one phone differ from another.

use super::digest::Algorithm;
use super::fork::Branch;
use super::reliable::Reliability;
use super::sdp::{Codec, Direction};
use super::speech::Speech;
use super::trunk::Trunk;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// Who a phone is, where it sits and how it behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its number: the user part of its address-of-record, and its digest user name.
    pub user: String,
    /// Its digest password.
    pub password: String,
    /// The host part of its address-of-record.
    pub domain: String,
    /// Where it sends and receives signalling.
    pub local: SocketAddr,
    /// Where it sends and receives audio.
    pub audio: SocketAddr,
    /// The switch.
    pub server: SocketAddr,
    /// What it asks for when it registers, in seconds.
    pub expires_s: u32,
    /// It remembers calls that are over, so that a test can look at them. One that does not forgets what became of them
    /// some minutes later, and a day of calls takes no more memory than an hour.
    pub keeps_past: bool,
    /// It refreshes its registration after half the time granted, and tries again where that fails (RFC 5626 §4.5).
    pub refreshes: bool,
    /// So often, in milliseconds, it sends CRLF CRLF to hold its NAT open, from its registration on; never, where none.
    pub keep_alive_ms: Option<u64>,
    /// It gives up a call that lasts so long from its INVITE, in milliseconds; never, where none.
    pub longest_call_ms: Option<u64>,
    /// An ALG stands before it that rewrites addresses in its messages: what they say of it is not held against the
    /// switch.
    pub behind_alg: bool,
    /// What this world does that a phone cannot tell from a broken switch.
    pub doubts: Doubts,
    /// A translator stands before it and others: when that has forgotten whose mapping it was, what is for one of them
    /// comes here, and is dropped.
    pub shares_nat: bool,
    /// The hash it answers challenges with.
    pub algorithm: Algorithm,
    /// Whether it uses a nonce again, with a rising count, instead of waiting for the next challenge.
    pub reuse_nonce: bool,
    /// Calls it can hold at once; one more is busy.
    pub lines: usize,
    /// It stands for a gateway: requests for any number are for it.
    pub takes_any_number: bool,
    /// What it does with a call that comes in.
    pub answering: Answering,
    /// Whether it sends audio. Without, a long simulation is many times faster.
    pub talks: bool,
    /// How it does.
    pub speech: Speech,
    /// Whether it sends the ACK of a 2xx. One that does not is broken on purpose.
    pub acknowledges: bool,
    /// The Reason of its BYE and CANCEL (RFC 3326).
    pub reason: Option<String>,
    /// The q of its Contact when it registers, as written.
    pub contact_q: Option<String>,
    /// It hangs up so long after the call was answered; never, where none.
    pub hang_up_after: Option<Duration>,
    /// What it speaks, in the order of preference.
    pub codecs: Vec<Codec>,
    /// Its first description has a video line too.
    pub offers_video: bool,
    /// Its descriptions say who wrote them, in a line `a=x-mark:`; see [`super::Agreed::mismatch`].
    pub marks: bool,
    /// Its INVITEs have an offer; else the other side makes it.
    pub makes_offer: bool,
    /// Which way the audio of that offer goes.
    pub offers: Direction,
    /// Whether it does RFC 3262.
    pub reliability: Reliability,
    /// So long after a reliable provisional answer its PRACK goes out.
    pub prack_after: Duration,
    /// Its PRACK makes another offer where the 1xx had the answer: the same codecs in the opposite order.
    pub offers_in_prack: bool,
    /// How it rings: 180 or 183.
    pub rings_with: u16,
    /// It rings with a description.
    pub early_media: bool,
    /// It plays these branches for every call, and not [`Settings::answering`]: a forking proxy stands before it.
    pub branches: Vec<Branch>,
    /// As a caller it takes a second 2xx under another To tag for what a fork does. A switch never sends one.
    pub may_fork: bool,
    /// As a callee it changes the session before it has the ACK (RFC 6337 §4.1: a true glare, and allowed).
    pub offers_before_ack: bool,
    /// So long it thinks about a re-INVITE.
    pub answers_changes_after: Duration,
    /// It refuses re-INVITE and UPDATE with this status.
    pub refuses_changes: Option<u16>,
    /// So long after a 491 what crossed may still come; nothing over wires that neither lose nor reorder.
    pub crossing_grace: Duration,
    /// The far side may cancel a change that met a 491 and come with another one at once: it has not to wait then.
    pub far_side_cancels: bool,
    /// As a transferor it hangs up when the transfer has worked.
    pub hangs_up_after_transfer: bool,
    /// What it subscribed to by REFER, and what it reports on, outlives the call (RFC 5057 §4.1).
    pub keeps_subscriptions: bool,
    /// It answers 200 to methods it does not know, and tells of them.
    pub takes_any_method: bool,
    /// It sends an INVITE to the address in its URI and not to the switch: face to face.
    pub is_direct: bool,
    /// What it does as a gateway.
    pub trunk: Trunk,
}

impl Settings {
    /// A well-behaved phone of one line that rings at once and answers after two seconds.
    pub fn new(user: &str, password: &str, domain: &str, local: SocketAddr, server: SocketAddr) -> Settings {
        Settings {
            user: user.to_owned(),
            password: password.to_owned(),
            domain: domain.to_owned(),
            local,
            audio: SocketAddr::new(local.ip(), 4000),
            server,
            expires_s: 3600,
            keeps_past: true,
            refreshes: false,
            keep_alive_ms: None,
            longest_call_ms: None,
            behind_alg: false,
            shares_nat: false,
            doubts: Doubts::default(),
            algorithm: Algorithm::Md5,
            reuse_nonce: false,
            lines: 1,
            takes_any_number: false,
            answering: Answering::Answer { ring_after: Duration::ZERO, after: Duration::from_secs(2) },
            talks: true,
            speech: Speech::default(),
            acknowledges: true,
            reason: None,
            contact_q: None,
            hang_up_after: None,
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            offers_video: false,
            marks: false,
            makes_offer: true,
            offers: Direction::SendRecv,
            reliability: Reliability::Unsupported,
            prack_after: Duration::ZERO,
            offers_in_prack: false,
            rings_with: 180,
            early_media: false,
            branches: Vec::new(),
            may_fork: false,
            offers_before_ack: false,
            answers_changes_after: Duration::ZERO,
            refuses_changes: None,
            // 64*T1: what was lost is sent again for so long
            crossing_grace: Duration::from_secs(32),
            far_side_cancels: false,
            hangs_up_after_transfer: true,
            keeps_subscriptions: false,
            takes_any_method: false,
            is_direct: false,
            trunk: Trunk::default(),
        }
    }
}

/// What a world does that a phone cannot tell from a broken switch: what it leads to is not held against the switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// The switch is restarted, and answers the second copy of a request as if it were new.
    pub restarts: bool,
    /// Somebody is cut off for longer than messages are sent again.
    pub cuts_off: bool,
    /// Messages get lost.
    pub loses: bool,
    /// The clock of the switch goes back, or its thread does not run.
    pub is_late: bool,
}

/// What a phone does with an incoming call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answering {
    /// Rings, then answers, both counted from the INVITE; it does not ring where it answers no later.
    Answer {
        /// When the 180 goes out.
        #[serde(rename = "ring_after_ms", with = "crate::as_ms")]
        ring_after: Duration,
        /// When the 200 goes out.
        #[serde(rename = "after_ms", with = "crate::as_ms")]
        after: Duration,
    },
    /// Refuses with this status.
    Reject {
        /// 300 to 699.
        status: u16,
        /// Counted from the INVITE.
        #[serde(rename = "after_ms", with = "crate::as_ms")]
        after: Duration,
    },
    /// Rings and never answers.
    RingOnly,
    /// Sends nothing at all, not even an answer to BYE.
    Silent,
    /// Leaves it to [`super::Phone::ring`], [`super::Phone::answer`] and [`super::Phone::reject`].
    Manual,
}

/// What a phone tells of itself, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The registrar said 200; it keeps the binding for this long.
    Registered {
        /// Seconds; 0 after an unregister.
        expires_s: u32,
    },
    /// The registrar refused, or did not answer (none).
    RegisterFailed {
        /// The status it gave.
        status: Option<u16>,
    },
    /// A call came in.
    Incoming {
        /// Its number at this phone.
        call: u32,
        /// The user part of the caller.
        from: String,
    },
    /// The far side rings.
    Ringing {
        /// Its number at this phone.
        call: u32,
    },
    /// The call is up at this phone: 2xx received, or ACK received.
    Answered {
        /// Its number at this phone.
        call: u32,
    },
    /// The call is over at this phone.
    Ended {
        /// Its number at this phone.
        call: u32,
        /// How it ended.
        how: End,
    },
    /// A request other than INVITE, BYE, CANCEL and REGISTER got its final answer, or none.
    Replied {
        /// The request's method.
        method: String,
        /// The status of the answer.
        status: Option<u16>,
    },
    /// A request other than INVITE, BYE, CANCEL and ACK came in.
    Received {
        /// Its method.
        method: String,
        /// Its body; of a REFER, whom it refers to.
        body: String,
    },
    /// A request of a method that the phone does not know came in, and it takes any.
    Unknown {
        /// Its method.
        method: String,
        /// Its headers, in order.
        headers: Vec<(String, String)>,
        /// Its body, byte for byte.
        body: Vec<u8>,
    },
}

/// How a call ended, from one phone's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This phone hung up.
    HungUp,
    /// The far side hung up.
    PeerHungUp,
    /// The caller gave up before the answer.
    Cancelled,
    /// The callee refused, with this status.
    Refused(u16),
    /// No final answer ever came.
    TimedOut,
    /// This phone answered, and no ACK came for 64*T1.
    NoAck,
    /// This phone lost its power.
    Rebooted,
}
