//! What `status` answers: what the switch holds, and what the process adds to it.

use super::Server;
use crate::media::Counts;
use crosspoint_core::media::MediaDrop;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Process {
    version: &'static str,
    pid: u32,
    resident_bytes: Option<u64>,
    sockets: Vec<SocketStatus>,
    media_shards: Vec<ShardStatus>,
    lost: super::sinks::Lost,
    lost_sends: u64,
    disk_errors: u64,
}

#[derive(Serialize)]
struct SocketStatus {
    address: std::net::SocketAddr,
    receive_buffer_bytes: usize,
    #[serde(flatten)]
    sends: crate::udp::SendCounts,
}

/// A media shard; packets since the start.
#[derive(Serialize)]
struct ShardStatus {
    sessions: usize,
    received: u64,
    sent: u64,
    played: u64,
    unsent: u64,
    consumed: u64,
    dropped: BTreeMap<&'static str, u64>,
    lost_reports: u64,
}

impl Server {
    pub(super) fn status(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self.pump.switch().status()).unwrap_or_default();
        let process = Process {
            version: env!("CARGO_PKG_VERSION"),
            pid: std::process::id(),
            resident_bytes: resident_bytes(),
            sockets: self.outlet.sockets.iter().map(socket_status).collect(),
            media_shards: self.outlet.shards.counts().map(shard_status).collect(),
            lost: self.outlet.sinks.lost(),
            lost_sends: self.pump.lost_sends(),
            disk_errors: self.disk.errors(),
        };
        if let (Some(object), Ok(process)) = (value.as_object_mut(), serde_json::to_value(process)) {
            object.insert("process".to_owned(), process);
        }
        value
    }
}

fn socket_status(socket: &crate::udp::Socket) -> SocketStatus {
    SocketStatus {
        address: socket.local(),
        receive_buffer_bytes: socket.receive_buffer_bytes(),
        sends: socket.send_counts(),
    }
}

fn shard_status(counts: Counts) -> ShardStatus {
    let Counts { sessions, work, tally, lost_reports } = counts;
    ShardStatus {
        sessions,
        received: work.received,
        sent: work.sent,
        played: work.played,
        unsent: work.unsent,
        consumed: tally.consumed,
        dropped: MediaDrop::ALL.iter().map(|&why| (why.name(), tally.dropped_for(why))).collect(),
        lost_reports,
    }
}

/// Memory of the process that is in use, from `/proc/self/statm` (proc(5)): the second figure, in pages.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let page_bytes = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    Some(pages * u64::try_from(page_bytes).ok()?)
}
