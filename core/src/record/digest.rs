//! One number for everything that a switch did.

use crate::command::Command;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// What of a digest stands before every input of a log.
pub(super) fn short(digest: u64) -> [u8; 4] {
    (digest as u32).to_le_bytes()
}

/// A rolling digest of commands: equal for equal streams in equal order, on every machine and build.
#[derive(Clone, Debug, Default)]
pub struct Digest(SipHasher13);

impl Digest {
    /// Takes in the next command.
    pub fn command(&mut self, command: &Command) {
        match command {
            Command::Send { flow, bytes } => {
                self.part(b"send", &postcard::to_stdvec(flow).expect("a flow is plain data"));
                self.part(b"", bytes);
            }
            Command::Emit(event) => {
                self.part(event.name().as_bytes(), &postcard::to_stdvec(event).expect("an event is plain data"));
            }
            Command::Lookup(query) => {
                self.part(b"lookup", &postcard::to_stdvec(query).expect("a query is plain data"));
            }
            Command::Ports(command) => {
                self.part(b"ports", &postcard::to_stdvec(command).expect("a port command is plain data"));
            }
            Command::Media(shard, op) => {
                self.part(b"media", &postcard::to_stdvec(&(shard, op)).expect("a media op is plain data"));
            }
            Command::Halt => self.part(b"halt", b""),
        }
    }

    /// The digest of all commands so far.
    pub fn value(&self) -> u64 {
        self.0.finish()
    }

    fn part(&mut self, name: &[u8], bytes: &[u8]) {
        self.0.write(name);
        self.0.write(&(bytes.len() as u64).to_le_bytes());
        self.0.write(bytes);
    }
}
