//! Addresses in what passes between the switch and its media shards.

use super::mapping::Mapping;
use crosspoint_core::media::{LegPlan, LegStats, MediaOp, MediaReport, Move, RtcpPlan};
use crosspoint_core::ports::{Kind, Place, PortCommand};

/// A report under the mapping.
pub(super) fn report(map: &Mapping, report: &MediaReport) -> MediaReport {
    let mut new = report.clone();
    match &mut new {
        MediaReport::Latched { moved, .. } => *moved = moved_under(map, *moved),
        MediaReport::Stats { legs, .. } => legs.iter_mut().for_each(|leg| stats(map, leg)),
        MediaReport::Applied { .. }
        | MediaReport::Refused { .. }
        | MediaReport::Silent { .. }
        | MediaReport::Played { .. } => {}
    }
    new
}

/// An op under the mapping.
pub(super) fn op(map: &Mapping, op: &MediaOp) -> MediaOp {
    let mut new = op.clone();
    match &mut new {
        MediaOp::Install { legs, .. } => legs.iter_mut().for_each(|leg| plan(map, leg)),
        MediaOp::Station { leg, .. } | MediaOp::Update { leg, .. } => plan(map, leg),
        MediaOp::Play { .. } | MediaOp::Remove { .. } | MediaOp::Read { .. } => {}
    }
    new
}

/// A port command under the mapping.
pub(super) fn ports(map: &Mapping, command: PortCommand) -> PortCommand {
    let place = |place: Place| Place { kind: Kind { address: map.ip(place.kind.address), ..place.kind }, ..place };
    match command {
        PortCommand::Open { request, place: old } => PortCommand::Open { request, place: place(old) },
        PortCommand::Close { place: old } => PortCommand::Close { place: place(old) },
    }
}

fn plan(map: &Mapping, plan: &mut LegPlan) {
    plan.signalled = plan.signalled.map(|at| map.socket(at));
    plan.signalling_host = map.ip(plan.signalling_host);
    if let RtcpPlan::Own { signalled, .. } = &mut plan.rtcp {
        *signalled = signalled.map(|at| map.socket(at));
    }
}

fn stats(map: &Mapping, stats: &mut LegStats) {
    stats.rtp = moved_under(map, stats.rtp);
    stats.rtcp = stats.rtcp.map(|moved| moved_under(map, moved));
}

fn moved_under(map: &Mapping, moved: Move) -> Move {
    Move { target: moved.target.map(|at| map.socket(at)), ..moved }
}
