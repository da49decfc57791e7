//! What waits for the switch's next turn, in the order in which the host's driver hands it over.

use super::kernel::DATAGRAM_OVERHEAD_BYTES;
use super::trace::{Did, Trace};
use bytes::Bytes;
use crosspoint_core::input::{Control, Flow, Input, LookupReply, QueryId};
use crosspoint_core::media::MediaReport;
use crosspoint_core::ports::{PortReply, Shard};
use crosspoint_core::pump::Inputs;
use std::collections::VecDeque;

/// Wishes, reports and the receive buffer of the socket.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) controls: VecDeque<Control>,
    pub(super) undelivered: VecDeque<Flow>,
    pub(super) replies: VecDeque<(QueryId, Option<Vec<u8>>)>,
    pub(super) ports: VecDeque<PortReply>,
    pub(super) media: VecDeque<(Shard, MediaReport)>,
    buffer: VecDeque<(Flow, Bytes)>,
    buffer_bytes: usize,
    /// Datagrams that the turn may still take: the rest of what its receive call brought.
    batch: u64,
    reply_in_hand: Option<Vec<u8>>,
    in_hand: Bytes,
    trace: Trace,
}

impl Inbox {
    /// Empty; what is taken out goes into this trace.
    pub(super) fn new(trace: Trace) -> Inbox {
        let (controls, undelivered, replies, ports, media, buffer) = Default::default();
        let (buffer_bytes, batch, reply_in_hand, in_hand) = Default::default();
        Inbox {
            controls,
            undelivered,
            replies,
            ports,
            media,
            buffer,
            buffer_bytes,
            batch,
            reply_in_hand,
            in_hand,
            trace,
        }
    }

    /// Loses everything, as with its process.
    pub(super) fn clear(&mut self) {
        *self = Inbox::new(self.trace.clone());
    }

    /// Puts a datagram into the receive buffer, unless that is full.
    pub(super) fn receive(&mut self, flow: Flow, datagram: Bytes, room_bytes: usize) -> bool {
        let bytes = self.buffer_bytes + datagram.len() + DATAGRAM_OVERHEAD_BYTES;
        let fits = bytes <= room_bytes;
        if fits {
            self.buffer_bytes = bytes;
            self.buffer.push_back((flow, datagram));
        }
        fits
    }

    /// Lets the next turn take so many datagrams.
    pub(super) fn begin_batch(&mut self, batch: u64) {
        self.batch = batch;
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.controls.is_empty()
            && self.undelivered.is_empty()
            && self.replies.is_empty()
            && self.ports.is_empty()
            && self.media.is_empty()
            && self.buffer.is_empty()
    }
}

impl Inputs for Inbox {
    fn next(&mut self) -> Option<Input<'_>> {
        if let Some(control) = self.controls.pop_front() {
            return Some(Input::Control(control));
        }
        if let Some(flow) = self.undelivered.pop_front() {
            return Some(Input::Undelivered { flow });
        }
        if let Some((query, message)) = self.replies.pop_front() {
            self.reply_in_hand = message;
            return Some(Input::Lookup(LookupReply { query, message: self.reply_in_hand.as_deref() }));
        }
        if let Some(reply) = self.ports.pop_front() {
            return Some(Input::Ports(reply));
        }
        if let Some((shard, report)) = self.media.pop_front() {
            return Some(Input::Media(shard, report));
        }
        self.batch = self.batch.checked_sub(1)?;
        let (flow, bytes) = self.buffer.pop_front()?;
        self.buffer_bytes -= bytes.len() + DATAGRAM_OVERHEAD_BYTES;
        self.trace.add(Did::Took { from: flow.remote, datagram: bytes.clone() });
        self.in_hand = bytes;
        Some(Input::Datagram { flow, bytes: &self.in_hand })
    }
}
