//! Questions to nameservers, for any event loop: a socket each, watched together through one descriptor.
//!
//! The event loop waits for [`Lookups::as_fd`] to become readable and calls [`Lookups::receive`] until it says that there is
//! no more. Nothing here blocks, and nothing is decided: whom to ask, how and how often comes with each [`Query`].

mod connection;

use connection::{Connection, Progress};
use crosspoint_core::command::{Carrier, Query};
use crosspoint_core::input::QueryId;
use crosspoint_core::limits;
use crosspoint_core::time::Instant;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

/// Sockets that one call of [`Lookups::receive`] serves at most.
const EVENTS: usize = 64;

/// Datagrams that are read from one socket at a time: more than one only where somebody else answers too.
const DATAGRAMS: usize = 16;

/// What came of a query: the server's message, or that it cannot be reached.
pub type Reply = (QueryId, Option<Vec<u8>>);

/// The questions under way.
pub struct Lookups {
    epoll: Epoll,
    open: BTreeMap<u64, Open>,
    replies: VecDeque<Reply>,
    buffer: Vec<u8>,
}

struct Open {
    until: Instant,
    way: Way,
}

enum Way {
    /// A socket that is connected, so that only its server's datagrams arrive, on a port that the system draws at random;
    /// and the two octets with which an answer begins.
    Udp(UdpSocket, [u8; 2]),
    Tcp(Connection),
}

impl Lookups {
    /// No questions yet.
    ///
    /// # Errors
    /// The system's, where it is out of descriptors.
    pub fn new() -> io::Result<Lookups> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let buffer = vec![0; limits::DATAGRAM_BYTES];
        Ok(Lookups { epoll, open: BTreeMap::new(), replies: VecDeque::new(), buffer })
    }

    /// Asks. Where that fails, the reply says so at once.
    pub fn start(&mut self, now: Instant, query: &Query) {
        self.open.retain(|_, open| open.until > now);
        if self.open.len() >= limits::DNS_QUESTIONS || self.open(query).is_err() {
            self.open.remove(&query.id.0);
            self.replies.push_back((query.id, None));
        }
    }

    /// Reads what has arrived. Returns whether there may be more: call again before waiting.
    pub fn receive(&mut self) -> bool {
        let mut events = [EpollEvent::empty(); EVENTS];
        let ready = self.epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or(0);
        for event in events.iter().take(ready) {
            self.serve(event.data());
        }
        ready > 0
    }

    /// The next reply.
    pub fn next_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// Whether replies wait to be taken.
    pub fn has_replies(&self) -> bool {
        !self.replies.is_empty()
    }

    fn open(&mut self, query: &Query) -> io::Result<()> {
        let Query { id, server, carrier, until, bytes } = query;
        let way = match carrier {
            Carrier::Udp => {
                let socket = UdpSocket::bind(any_port(*server))?;
                socket.set_nonblocking(true)?;
                socket.connect(server)?;
                socket.send(bytes)?;
                self.epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, id.0))?;
                let first = bytes.first_chunk().copied().ok_or(io::ErrorKind::InvalidInput)?;
                Way::Udp(socket, first)
            }
            Carrier::Tcp => {
                let connection = Connection::open(*server, bytes)?;
                self.epoll.add(&connection, EpollEvent::new(EpollFlags::EPOLLOUT, id.0))?;
                Way::Tcp(connection)
            }
        };
        self.open.insert(id.0, Open { until: *until, way });
        Ok(())
    }

    /// A socket has something to say.
    fn serve(&mut self, id: u64) {
        let Some(open) = self.open.get_mut(&id) else { return };
        let reply = match &mut open.way {
            Way::Udp(socket, first) => receive_answer(socket, *first, &mut self.buffer),
            Way::Tcp(connection) => match connection.go_on() {
                Progress::Answered(message) => Some(Some(message)),
                Progress::Failed => Some(None),
                Progress::Writes => None,
                Progress::Reads => {
                    let mut readable = EpollEvent::new(EpollFlags::EPOLLIN, id);
                    self.epoll.modify(&*connection, &mut readable).err().map(|_| None)
                }
            },
        };
        if let Some(message) = reply {
            // closing the socket takes it out of the epoll too
            self.open.remove(&id);
            self.replies.push_back((QueryId(id), message));
        }
    }
}

/// The datagram that answers, if it is there, or that the server cannot be reached (ICMP). Datagrams that begin otherwise
/// answer something else: the socket waits on.
fn receive_answer(socket: &UdpSocket, first: [u8; 2], buffer: &mut [u8]) -> Option<Option<Vec<u8>>> {
    for _ in 0..DATAGRAMS {
        match socket.recv(buffer) {
            Ok(length) => {
                if let Some(bytes) = buffer.get(..length).filter(|bytes| bytes.starts_with(&first)) {
                    return Some(Some(bytes.to_vec()));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(_) => return Some(None),
        }
    }
    None
}

/// Any port of any address of the server's family.
fn any_port(server: SocketAddr) -> SocketAddr {
    match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    }
}

impl AsFd for Lookups {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

#[cfg(test)]
mod tests;
