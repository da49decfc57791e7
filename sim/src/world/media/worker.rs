//! A media shard on its thread: orders in the order of their giving, packets as they come, and its own clock.

use super::super::agenda::Alarm;
use super::Made;
use crosspoint_core::media::tone::{PACKET_BYTES, Recording, Sounds};
use crosspoint_core::media::{LegSocket, MediaOp, MediaShard, Relay};
use crosspoint_core::ports::PortCommand;
use crosspoint_core::rng::Stream;
use crosspoint_core::time::Instant;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

/// Room for packets that wait for the thread, in bytes, all its sockets together.
const BUFFER_BYTES: usize = 256 << 10;
/// Packets that a shard sends of its own accord at one instant before the world says that it runs in circles.
const PLAYED: usize = 10_000;

/// What signalling has told the thread.
#[derive(Debug)]
pub(in crate::world) enum Order {
    Ports(PortCommand),
    Apply(MediaOp),
}

/// A packet that has come to a socket.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) at: LegSocket,
    pub(super) from: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

/// The thread.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) shard: MediaShard,
    orders: VecDeque<(Instant, Order)>,
    last_order: Instant,
    buffer: VecDeque<Packet>,
    buffer_bytes: usize,
    pub(super) stalled_until: Instant,
    pub(super) alarm: Alarm,
}

/// The first files that a configuration names, whatever they are: each one is a second long.
fn sounds() -> Sounds {
    const FILES: usize = 4;
    const LENGTH: u32 = 16_000;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + LENGTH).to_le_bytes());
    // PCM of one channel, 8000 samples and 16,000 bytes a second, 2 bytes of 16 bits
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend(LENGTH.to_le_bytes());
    file.resize(file.len() + LENGTH as usize, 7);
    let recording = Recording::read_wav(&file).expect("written above");
    Sounds::new(vec![recording; FILES])
}

impl Worker {
    /// An idle one; its shard draws from this stream.
    pub(super) fn new(chance: Stream) -> Worker {
        Worker {
            shard: MediaShard::new(chance, sounds()),
            orders: VecDeque::new(),
            last_order: Instant::EPOCH,
            buffer: VecDeque::new(),
            buffer_bytes: 0,
            stalled_until: Instant::EPOCH,
            alarm: Alarm::default(),
        }
    }

    /// Gives it an order, which reaches it so much later, and never before an earlier one.
    pub(super) fn order(&mut self, now: Instant, after: Duration, order: Order) {
        self.last_order = self.last_order.max(now + after);
        self.orders.push_back((self.last_order, order));
    }

    /// The next order that has come.
    pub(super) fn next_order(&mut self, now: Instant) -> Option<Order> {
        self.orders.front().filter(|(at, _)| *at <= now)?;
        self.orders.pop_front().map(|(_, order)| order)
    }

    /// A packet comes to a socket; whether there is room for it.
    pub(super) fn receive(&mut self, packet: Packet) -> bool {
        let bytes = self.buffer_bytes + packet.bytes.len();
        let fits = bytes <= BUFFER_BYTES;
        if fits {
            self.buffer_bytes = bytes;
            self.buffer.push_back(packet);
        }
        fits
    }

    /// The next packet that waits.
    pub(super) fn next_packet(&mut self) -> Option<Packet> {
        let packet = self.buffer.pop_front()?;
        self.buffer_bytes -= packet.bytes.len();
        Some(packet)
    }

    /// What the shard makes of a packet, which it may change.
    pub(super) fn relay(&mut self, mono: Instant, packet: &mut Packet) -> Relay {
        self.shard.relay(mono, packet.at, packet.from, &mut packet.bytes)
    }

    /// What the shard itself sends now.
    pub(super) fn play(&mut self, mono: Instant) -> Vec<(LegSocket, SocketAddr, Vec<u8>)> {
        let (mut out, mut played) = ([0; PACKET_BYTES], Vec::new());
        if self.shard.poll_timeout().is_none_or(|at| at > mono) {
            return played;
        }
        self.shard.tick(mono);
        while let Some((from, to)) = self.shard.poll_packet(mono, &mut out) {
            played.push((from, to, out.to_vec()));
            assert!(played.len() < PLAYED, "time stands still: a media shard always has another packet to play");
        }
        played
    }

    /// What the shard tells.
    pub(super) fn reports(&mut self) -> impl Iterator<Item = Made> {
        std::iter::from_fn(|| self.shard.poll_report()).map(Made::Told)
    }

    /// When it next has something to do; `moment` says when its clock shows a time.
    pub(super) fn wakes_at(&self, now: Instant, moment: impl Fn(Instant) -> Instant) -> Option<Instant> {
        let order = self.orders.front().map(|(at, _)| *at);
        let packet = (!self.buffer.is_empty()).then_some(now);
        let due = self.shard.poll_timeout().map(moment);
        let at = [order, packet, due].into_iter().flatten().min()?;
        Some(at.max(self.stalled_until))
    }

    /// Whether nothing waits for it.
    pub(super) fn is_idle(&self) -> bool {
        self.orders.is_empty() && self.buffer.is_empty()
    }
}
