//! What goes into the pump: controls first, then what could not be delivered, then what nameservers said, then what media
//! shards tell, then the batch in hand.

use super::shards::Shards;
use crate::lookup::{Lookups, Reply};
use crate::media::Report;
use crate::udp::{Batch, Socket};
use crosspoint_core::input::{Control, Flow, Input, LookupReply, SocketId, Transport};
use crosspoint_core::ports::Shard;
use crosspoint_core::pump::Inputs;
use std::collections::VecDeque;

pub(super) struct Feed {
    controls: VecDeque<Control>,
    undelivered: VecDeque<Flow>,
    replies: VecDeque<Reply>,
    reports: VecDeque<(Shard, Report)>,
    reply_in_hand: Option<Vec<u8>>,
    batch: Batch,
    socket: SocketId,
}

impl Feed {
    pub(super) fn new() -> Feed {
        Feed {
            controls: VecDeque::new(),
            undelivered: VecDeque::new(),
            replies: VecDeque::new(),
            reports: VecDeque::new(),
            reply_in_hand: None,
            batch: Batch::new(),
            socket: SocketId(0),
        }
    }

    pub(super) fn control(&mut self, control: Control) {
        self.controls.push_back(control);
    }

    /// Fills the batch from the socket of this index; says whether there may be more.
    pub(super) fn receive(&mut self, index: usize, socket: &mut Socket) -> bool {
        self.socket = id(index);
        socket.receive(&mut self.batch)
    }

    pub(super) fn collect_undelivered(&mut self, sockets: &mut [Socket]) {
        for (index, socket) in sockets.iter_mut().enumerate() {
            while let Some(remote) = socket.next_undelivered() {
                self.undelivered.push_back(Flow { socket: id(index), transport: Transport::Udp, remote });
            }
        }
    }

    pub(super) fn collect_replies(&mut self, lookups: &mut Lookups) {
        self.replies.extend(std::iter::from_fn(|| lookups.next_reply()));
    }

    /// What media shards tell; says whether there may be more.
    pub(super) fn collect_reports(&mut self, shards: &mut Shards) -> bool {
        shards.collect(|shard, report| self.reports.push_back((shard, report)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.controls.is_empty()
            && self.undelivered.is_empty()
            && self.replies.is_empty()
            && self.reports.is_empty()
            && self.batch.is_empty()
    }
}

impl Inputs for Feed {
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
        match self.reports.pop_front() {
            Some((_, Report::Ports(reply))) => return Some(Input::Ports(reply)),
            Some((shard, Report::Media(report))) => return Some(Input::Media(shard, report)),
            None => {}
        }
        let socket = self.socket;
        let (remote, bytes) = self.batch.next()?;
        Some(Input::Datagram { flow: Flow { socket, transport: Transport::Udp, remote }, bytes })
    }
}

fn id(index: usize) -> SocketId {
    SocketId(u16::try_from(index).expect("start refuses more sockets than a SocketId names"))
}
