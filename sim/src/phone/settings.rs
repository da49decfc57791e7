//! What makes one phone differ from another.

use super::digest::Algorithm;
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
    /// Whether it sends the ACK of a 2xx. One that does not is broken on purpose.
    pub acknowledges: bool,
    /// It hangs up so long after the call was answered; never, where none.
    pub hang_up_after: Option<Duration>,
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
            algorithm: Algorithm::Md5,
            reuse_nonce: false,
            lines: 1,
            takes_any_number: false,
            answering: Answering::Answer { ring_after: Duration::ZERO, after: Duration::from_secs(2) },
            talks: true,
            acknowledges: true,
            hang_up_after: None,
        }
    }
}

/// What a phone does with an incoming call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// Rings, then answers, both counted from the INVITE; it does not ring where it answers no later.
    Answer {
        /// When the 180 goes out.
        ring_after: Duration,
        /// When the 200 goes out.
        after: Duration,
    },
    /// Refuses with this status.
    Reject {
        /// 300 to 699.
        status: u16,
        /// Counted from the INVITE.
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
        /// Its body.
        body: String,
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
    /// A request inside the call failed with this status.
    Lost(u16),
}
