//! Peers of media only: a socket that writes down every datagram that reaches it, and sends one's own every 20 ms. Their
//! signalling is SIPp's.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// From one packet to the next, and what a packet of G.711 holds.
pub const PACKET: Duration = Duration::from_millis(20);
/// The samples of a packet of G.711, each a byte.
pub const SAMPLES: usize = 160;

/// The fixed header of RTP (RFC 3550 §5.1).
const HEADER_BYTES: usize = 12;

/// An RTP packet of PCMA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtp {
    /// Counts packets.
    pub sequence: u16,
    /// Counts samples.
    pub timestamp: u32,
    /// Names the source.
    pub ssrc: u32,
    /// The speech.
    pub payload: Vec<u8>,
}

impl Rtp {
    /// The `n`th packet of a source, filled with this byte.
    pub fn nth(n: u32, ssrc: u32, byte: u8) -> Rtp {
        Rtp { sequence: n as u16, timestamp: n * SAMPLES as u32, ssrc, payload: vec![byte; SAMPLES] }
    }

    /// As it goes over the wire: version 2, payload type 8 (RFC 3551 §6).
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, 8];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// Reads one; nothing where the bytes are something else.
    pub fn read(bytes: &[u8]) -> Option<Rtp> {
        let (header, payload) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let [0x80, kind, s1, s2, t1, t2, t3, t4, source @ ..] = *header else { return None };
        // the highest bit marks the start of a talk spurt
        (kind & 0x7f == 8).then(|| Rtp {
            sequence: u16::from_be_bytes([s1, s2]),
            timestamp: u32::from_be_bytes([t1, t2, t3, t4]),
            ssrc: u32::from_be_bytes(source),
            payload: payload.to_vec(),
        })
    }
}

/// A datagram that came.
#[derive(Clone, Debug)]
pub struct Heard {
    /// When it was read.
    pub at: Instant,
    /// Where it came from.
    pub from: SocketAddr,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A peer; it falls silent and deaf when dropped.
pub struct Peer {
    socket: Arc<UdpSocket>,
    heard: Arc<Mutex<Vec<Heard>>>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Peer {
    /// One that listens there.
    ///
    /// # Panics
    /// When the address is not to be had.
    pub fn bind(address: impl Into<SocketAddr>) -> Peer {
        let address = address.into();
        let socket = UdpSocket::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        socket.set_read_timeout(Some(PACKET)).expect("a timeout that is not zero");
        let mut peer =
            Peer { socket: Arc::new(socket), heard: Arc::default(), is_over: Arc::default(), threads: Vec::new() };
        let (socket, heard, is_over) = (peer.socket.clone(), peer.heard.clone(), peer.is_over.clone());
        peer.threads.push(spawn(move || {
            let mut buffer = [0; 2048];
            while !is_over.load(Ordering::Relaxed) {
                // an error is a timeout, or the echo of a datagram that nobody took
                if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                    let one = Heard { at: Instant::now(), from, bytes: buffer[..length].to_vec() };
                    heard.lock().unwrap_or_else(PoisonError::into_inner).push(one);
                }
            }
        }));
        peer
    }

    /// Where it listens.
    ///
    /// # Panics
    /// Never: its socket is bound.
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket has an address")
    }

    /// Sends one datagram.
    pub fn send(&self, to: SocketAddr, bytes: &[u8]) {
        // an error is about a datagram before it
        let _ = self.socket.send_to(bytes, to);
    }

    /// Sends, from now on and every 20 ms, what `datagrams` gives for each time.
    pub fn speak(&mut self, to: SocketAddr, datagrams: impl Fn(u32) -> Vec<Vec<u8>> + Send + 'static) {
        let (socket, is_over) = (self.socket.clone(), self.is_over.clone());
        self.threads.push(spawn(move || {
            let begun = Instant::now();
            for n in 0.. {
                sleep((begun + PACKET * n).saturating_duration_since(Instant::now()));
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                for datagram in datagrams(n) {
                    // an error is about a datagram before it
                    let _ = socket.send_to(&datagram, to);
                }
            }
        }));
    }

    /// What has come so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_reads_back_and_nothing_else_does() {
        let packet = Rtp::nth(70_000, 7, 0xd5);
        assert_eq!((packet.sequence, packet.timestamp), (4_464, 11_200_000));
        let bytes = packet.bytes();
        assert_eq!(Rtp::read(&bytes), Some(packet));
        assert_eq!(Rtp::read(&bytes[..11]), None);
        assert_eq!(Rtp::read(&[&[0x80, 0][..], &bytes[2..]].concat()), None, "PCMU");
    }
}
