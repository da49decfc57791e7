//! `ports`: the media ports of a running switch.

use super::show::{cell, items};
use super::table::columns;
use super::{Done, print, print_json, state_dir_of};
use crate::admin::{self, Request};
use crate::cli::ListArgs;
use serde_json::Value;

pub(crate) fn ports(args: &ListArgs) -> Done {
    let ListArgs { show, limit } = args;
    let ports = admin::ask_value(&state_dir_of(&show.state)?, &Request::Ports { limit: *limit })?;
    if show.json { print_json(&ports) } else { print(&text(&ports)) }
}

fn text(ports: &Value) -> String {
    let ranges: Vec<[String; 8]> = items(&ports["ranges"])
        .map(|range| {
            let [free, used, quarantined, shelved] =
                ["free", "used", "quarantined", "shelved"].map(|state| cell(&range["counts"], state));
            let [pool, singles, pairs] =
                ["pool", "calls_with_single_ports", "calls_with_pairs"].map(|f| cell(range, f));
            let numbers = format!("{},{}", range["ports"][0], range["ports"][1]);
            [pool, numbers, free, used, quarantined, shelved, singles, pairs]
        })
        .collect();
    let headings =
        ["RANGE", "PORTS", "FREE", "USED", "QUARANTINED", "SHELVED", "CALLS, ONE PORT A LEG", "CALLS, A PAIR A LEG"];
    let leases: Vec<[String; 7]> = items(&ports["leases"])
        .map(|lease| {
            let [pool, shard, address, state, call, party] =
                ["pool", "shard", "address", "state", "flow_no", "party"].map(|field| cell(lease, field));
            let port = lease["port"].as_u64().unwrap_or(0);
            let numbers = if lease["is_pair"] == true { format!("{port},{}", port + 1) } else { port.to_string() };
            [pool, shard, address, numbers, state, call, party]
        })
        .collect();
    let tally = |field| cell(&ports["tally"], field);
    format!(
        "{}\n{} leases granted, {} of them open ahead of demand, {} refused; {} tries met a port of another process\n\n{}{}",
        columns(headings, &ranges),
        tally("granted"),
        tally("from_stock"),
        tally("refused"),
        tally("in_use"),
        columns(["RANGE", "SHARD", "ADDRESS", "PORTS", "STATE", "CALL", "PARTY"], &leases),
        overdue_warning(&ports["overdue"])
    )
}

/// Says that ports are lost for a while; nothing where none are.
pub(super) fn overdue_warning(overdue: &Value) -> String {
    match overdue.as_u64() {
        None | Some(0) => String::new(),
        Some(count) => format!(
            "warning: {count} replies about media ports are overdue: each holds a port, and a shard that owes one gets \
             calls last\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use crosspoint_core::media::Party;
    use crosspoint_core::ports::{Kind, Owner, Pool, PortCommand, PortReply, Ports, Settings, Shard};
    use crosspoint_core::rng::{Seed, Stream};
    use crosspoint_core::time::Instant;

    /// One lease that a call holds, one that is open ahead of demand, and one whose reply is overdue.
    #[test]
    fn ports_as_an_operator_sees_them() {
        let address = [192, 0, 2, 1].into();
        let settings = Settings {
            relay: 10_000..=10_099,
            ivr: 40_000..=40_009,
            address,
            shards: 1,
            warm: 3,
            quarantine: std::time::Duration::from_secs(2),
        };
        let mut ports = Ports::new(settings, Stream::new(Seed::from_number(1), 0), Instant::EPOCH);
        ports.on_tick(Instant::EPOCH);
        let asked: Vec<u64> = std::iter::from_fn(|| ports.poll_command())
            .filter_map(|command| match command {
                PortCommand::Open { request, .. } => Some(request),
                PortCommand::Close { .. } => None,
            })
            .collect();
        for &request in &asked[..2] {
            ports.on_reply(Instant::EPOCH, PortReply::Opened { request });
        }
        let kind = Kind { pool: Pool::Relay, address, is_pair: true };
        ports.ask(Instant::EPOCH, Owner { flow_no: 17, party: Party::Caller }, Shard(0), kind);
        ports.on_tick(Instant::from_micros(600_000));
        insta::assert_snapshot!(text(&serde_json::to_value(ports.view(100)).unwrap()));
    }
}
