//! Which transaction a message belongs to.
//!
//! A request is found by a fingerprint: 128 bits of SipHash under the seed's key over the fields that RFC 3261 §17.2.3
//! compares. It costs no allocation, and who does not know the key cannot make two requests share one. A response is
//! found by the branch itself, which is ours.

use crate::input::Transport;
use crate::sip::{COOKIE, Message, Method, Name, ValueError, Via};
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

/// The port that a sent-by without one means (RFC 3261 §18.1.1).
fn default_port(transport: Transport) -> u16 {
    match transport {
        Transport::Udp => 5060,
    }
}

/// The fingerprint of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Key(u128);

/// Makes fingerprints.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Fingerprints(pub(super) u64, pub(super) u64);

/// What a fingerprint is taken of, so that two kinds never meet.
#[repr(u8)]
enum Kind {
    Branch,
    Rfc2543,
    Merge,
    Tag,
}

impl Fingerprints {
    /// Names the server transaction of a request (§17.2.3). An ACK and a CANCEL name that of their INVITE.
    pub(super) fn server(self, message: &Message<'_>, via: &Via<'_>, transport: Transport) -> Result<Key, ValueError> {
        let method = message.method().unwrap_or(Method::Other(b""));
        let method = if matches!(method, Method::Ack | Method::Cancel) { Method::Invite } else { method };
        match via.branch() {
            Some(branch) if branch.len() > COOKIE.len() && branch.starts_with(COOKIE) => {
                let mut hash = self.start(Kind::Branch, method);
                field(&mut hash, branch);
                sent_by(&mut hash, via, transport);
                Ok(end(hash))
            }
            _ => self.rfc2543(message, method),
        }
    }

    /// A request without the magic cookie, by the rules of RFC 2543. The To tag of an ACK is that of our answer and not
    /// that of its INVITE, so it does not count where the two have to meet; the rest names one INVITE all the same.
    fn rfc2543(self, message: &Message<'_>, method: Method<'_>) -> Result<Key, ValueError> {
        let mut hash = self.start(Kind::Rfc2543, method);
        field(&mut hash, message.uri().unwrap_or_default());
        field(&mut hash, message.from()?.tag().unwrap_or_default());
        field(&mut hash, message.call_id()?);
        hash.write(&message.cseq()?.number.to_le_bytes());
        field(&mut hash, message.list(Name::Via).next().unwrap_or_default());
        if method != Method::Invite {
            field(&mut hash, message.to()?.tag().unwrap_or_default());
        }
        Ok(end(hash))
    }

    /// Names what copies of a request outside of dialogs that took other ways have in common (§8.2.2.2).
    pub(super) fn merge(self, message: &Message<'_>) -> Result<Key, ValueError> {
        let cseq = message.cseq()?;
        let mut hash = self.start(Kind::Merge, cseq.method);
        field(&mut hash, message.from()?.tag().unwrap_or_default());
        field(&mut hash, message.call_id()?);
        hash.write(&cseq.number.to_le_bytes());
        Ok(end(hash))
    }

    /// A To tag for an answer that no transaction remembers: the same one whenever the same request comes (§8.2.7).
    pub(super) fn tag(self, request: Key) -> [u8; 16] {
        let mut hash = self.start(Kind::Tag, Method::Other(b""));
        hash.write(&request.0.to_le_bytes());
        let mut bits = end(hash).0;
        std::array::from_fn(|_| {
            let digit = b"0123456789abcdef"[(bits & 15) as usize];
            bits >>= 4;
            digit
        })
    }

    fn start(self, kind: Kind, method: Method<'_>) -> SipHasher24 {
        let mut hash = SipHasher24::new_with_keys(self.0, self.1);
        hash.write(&[kind as u8]);
        field(&mut hash, method.as_bytes());
        hash
    }
}

/// One field with its length before it, so that no two sequences of fields read alike.
fn field(hash: &mut SipHasher24, bytes: &[u8]) {
    hash.write(&(bytes.len() as u64).to_le_bytes());
    hash.write(bytes);
}

/// Host names compare without regard to case (RFC 3261 §7.3.1).
fn sent_by(hash: &mut SipHasher24, via: &Via<'_>, transport: Transport) {
    hash.write(&(via.host.len() as u64).to_le_bytes());
    for part in via.host.chunks(32) {
        let mut lower = [0; 32];
        let lower = &mut lower[..part.len()];
        lower.copy_from_slice(part);
        lower.make_ascii_lowercase();
        hash.write(lower);
    }
    hash.write(&via.port.unwrap_or(default_port(transport)).to_le_bytes());
}

fn end(hash: SipHasher24) -> Key {
    Key(hash.finish128().as_u128())
}
