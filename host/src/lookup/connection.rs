//! One question over TCP (RFC 1035 §4.2.2): its length and itself go out, a length and the answer come back.

use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

/// Octets of the length before a message.
const LENGTH: usize = 2;

/// A connection that does not block.
pub(super) struct Connection {
    stream: TcpStream,
    /// What is still to be written.
    out: Vec<u8>,
    /// What has come so far.
    answer: Vec<u8>,
}

/// How far a connection came.
pub(super) enum Progress {
    /// It waits for room, or to be connected.
    Writes,
    /// It waits for the answer.
    Reads,
    /// The answer is whole.
    Answered(Vec<u8>),
    /// There will be none.
    Failed,
}

impl Connection {
    pub(super) fn open(server: SocketAddr, message: &[u8]) -> io::Result<Connection> {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        match socket.connect(&server.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => return Err(error),
            _ => {}
        }
        let length = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let out = [&length.to_be_bytes(), message].concat();
        Ok(Connection { stream: socket.into(), out, answer: Vec::new() })
    }

    /// The socket is ready: writes and reads what it can.
    pub(super) fn go_on(&mut self) -> Progress {
        match self.write().and_then(|is_written| if is_written { self.read() } else { Ok(Progress::Writes) }) {
            Ok(progress) => progress,
            Err(_) => Progress::Failed,
        }
    }

    /// Whether all is written.
    fn write(&mut self) -> io::Result<bool> {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(written) => drop(self.out.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_early(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn read(&mut self) -> io::Result<Progress> {
        let mut piece = [0; 4096];
        loop {
            // an answer has at most 65,535 octets, so this ends
            if let Some((length, message)) = self.answer.split_first_chunk::<LENGTH>()
                && let Some(message) = message.get(..usize::from(u16::from_be_bytes(*length)))
            {
                return Ok(Progress::Answered(message.to_vec()));
            }
            match self.stream.read(&mut piece) {
                Ok(0) => return Ok(Progress::Failed),
                Ok(length) => self.answer.extend_from_slice(piece.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_early(&error) => return Ok(Progress::Reads),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether the socket is only not ready yet.
fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected)
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
