//! What a shard does with the commands of the core's lease machine.

use super::relay::Shard;
use crosspoint_core::ports::{BindError, Place, PortCommand, PortReply};
use nix::libc;
use std::io;

impl Shard {
    /// Opens all of a place or nothing, with exactly one reply; or closes what was opened, with none.
    pub fn carry_out(&mut self, command: PortCommand) -> Option<PortReply> {
        match command {
            PortCommand::Open { request, place } => Some(match self.open_all(place) {
                Ok(()) => PortReply::Opened { request },
                Err(error) => {
                    tracing::debug!(port = place.port, address = %place.kind.address, %error, "media port refused");
                    PortReply::Refused { request, why: reason(&error) }
                }
            }),
            PortCommand::Close { place } => {
                place.sockets().for_each(|(at, _)| self.close(at));
                None
            }
        }
    }

    fn open_all(&mut self, place: Place) -> io::Result<()> {
        let done = place.sockets().try_for_each(|(at, address)| self.open(at, address));
        if done.is_err() {
            // the numbers of a place are nobody else's, so this closes what was opened just now
            place.sockets().for_each(|(at, _)| self.close(at));
        }
        done
    }
}

/// What the core makes of an error of the system's.
fn reason(error: &io::Error) -> BindError {
    match error.raw_os_error() {
        Some(libc::EADDRINUSE) => BindError::AddressInUse,
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS) => BindError::NoSockets,
        _ => BindError::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{BindError, io, libc, reason};

    #[test]
    fn each_error_has_the_reason_that_the_core_acts_on() {
        let of = |code| reason(&io::Error::from_raw_os_error(code));
        assert_eq!(of(libc::EADDRINUSE), BindError::AddressInUse);
        assert_eq!([libc::EMFILE, libc::ENFILE, libc::ENOBUFS].map(of), [BindError::NoSockets; 3]);
        assert_eq!([libc::EACCES, libc::EADDRNOTAVAIL].map(of), [BindError::Other; 2]);
    }
}
