//! `[[gateway]]`.

use super::endpoint;
use super::gateways::{Gateway, GatewayAuth, Peer, Ping};
use super::model::Config;
use super::parse::valid_domain;
use super::parse_gateway_rules::{self, Reservations};
use super::parse_identity;
use super::phones::Phones;
use super::reader::{At, Reader, Section};
use crate::limits;
use crate::nearest::nearest;
use crate::params::did_you_mean;
use crate::sip::host_name;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

const KEYS: &[&str] = &[
    "name",
    "direction",
    "peers",
    "auth",
    "register",
    "priority",
    "capacity",
    "media_proxy",
    "rtp_interruption",
    "rtp_interruption_s",
    "ping_s",
    "ping_fails",
    "ping_oks",
];
const DIRECTIONS: [&str; 3] = ["mapping", "routing", "both"];

pub(super) fn read(reader: &mut Reader<'_>, root: &Section<'_>, config: &Config) -> Vec<Gateway> {
    let known: Vec<&str> = [KEYS, parse_gateway_rules::KEYS, parse_identity::KEYS].concat();
    let mut reservations = Reservations::default();
    let mut gateways: Vec<Gateway> = Vec::new();
    let mut mapped: BTreeMap<Peer, String> = BTreeMap::new();
    let mut names = 0;
    for table in reader.tables(root, "gateway", "[[gateway]]") {
        reader.known_keys(&table, &known);
        let name = reader.required(&table, "name");
        if let Some(name) = &name {
            if name.value.is_empty() {
                reader.error(&name.span, "value", "`name` must not be empty");
            } else if gateways.iter().any(|gateway| gateway.name == name.value) {
                reader.error(&name.span, "duplicate", format!("there is a gateway `{}` already", name.value));
            } else if config.groups.iter().any(|group| group.name == name.value) {
                let text = format!("there is a [[group]] `{}`: lines are reserved by these names", name.value);
                reader.error(&name.span, "duplicate", text);
            }
        }
        let name = name.map_or("", |name| name.value).to_owned();
        let (mapping, routing) = direction(reader, &table);
        let auth = auth(reader, &table);
        let is_digest = matches!(auth, GatewayAuth::Digest { .. });
        if mapping && is_digest {
            unique_user(reader, &table, &auth, &gateways, &config.phones);
        }
        let peers = peers(reader, &table, mapping && !routing && is_digest);
        let registers = matches!(auth, GatewayAuth::Register { .. });
        for peer in peers.iter().filter(|_| mapping || registers) {
            names += usize::from(matches!(peer.value, Peer::Name { .. }));
            if names > limits::PEER_NAMES {
                let most = limits::PEER_NAMES;
                reader.error(
                    &peer.span,
                    "value",
                    format!("more than {most} host names among the peers that bring calls in"),
                );
            }
            if !mapping {
                continue;
            }
            if let Some(other) = mapped.insert(peer.value.clone(), name.clone()) {
                let text = format!("gateway `{other}` has this peer too: calls from it would be taken for that one's");
                reader.error(&peer.span, "duplicate", text);
            }
        }
        let capacity = reader.whole(&table, "capacity", 0..=1_000_000).map_or(0, |capacity| capacity.value);
        let rules = parse_gateway_rules::read(reader, &table, config, (mapping, routing));
        reservations.note(reader, &table, &rules, capacity);
        gateways.push(Gateway {
            name,
            mapping,
            routing,
            peers: peers.into_iter().map(|peer| peer.value).collect(),
            auth,
            priority: reader.whole(&table, "priority", 0..=u32::MAX).map_or(0, |priority| priority.value),
            capacity,
            media_proxy: endpoint::media_proxy(reader, &table, &config.parameters),
            watch: endpoint::watch(reader, &table),
            identity: parse_identity::gateway(reader, &table),
            rules,
            ping: ping(reader, &table),
        });
    }
    reservations.check(reader, &gateways, &config.groups);
    gateways
}

/// A user name that is to say which gateway calls may be no other gateway's and no phone's.
fn unique_user(reader: &mut Reader<'_>, table: &Section<'_>, auth: &GatewayAuth, earlier: &[Gateway], phones: &Phones) {
    let GatewayAuth::Digest { user, .. } = auth else { return };
    let same = |gateway: &&Gateway| gateway.is_challenged() && gateway.login().is_some_and(|login| login.user == user);
    let taken = match earlier.iter().find(same) {
        Some(other) => format!("gateway `{}`", other.name),
        None if phones.find(user).is_some() => "a phone".to_owned(),
        None => return,
    };
    let span = table.get("auth").map_or(table.span.clone(), |auth| auth.span());
    let text = format!("{taken} has the user `{user}` too: calls with its credentials would be taken for that one's");
    reader.error(&span, "duplicate", text);
}

/// Most rounds in a row that a threshold may ask for: with a round a second, some minutes.
const ROUNDS: u32 = 100;

fn ping(reader: &mut Reader<'_>, table: &Section<'_>) -> Ping {
    let Ping { every_s, fails, oks } = Ping::default();
    Ping {
        every_s: reader.whole(table, "ping_s", 0..=3600).map_or(every_s, |seconds| seconds.value),
        fails: reader.whole(table, "ping_fails", 1..=ROUNDS).map_or(fails, |rounds| rounds.value),
        oks: reader.whole(table, "ping_oks", 1..=ROUNDS).map_or(oks, |rounds| rounds.value),
    }
}

/// Whether it brings calls in, and whether it takes them out.
fn direction(reader: &mut Reader<'_>, table: &Section<'_>) -> (bool, bool) {
    let Some(direction) = reader.required(table, "direction") else { return (false, false) };
    match direction.value {
        "mapping" => (true, false),
        "routing" => (false, true),
        "both" => (true, true),
        other => {
            let hint = did_you_mean(nearest(other, DIRECTIONS));
            let text = format!("`direction` must be one of mapping, routing, both{hint}");
            reader.error(&direction.span, "value", text);
            (false, false)
        }
    }
}

/// Without any, only a gateway that the switch never calls and that shows who it is otherwise can be reached by calls.
fn peers(reader: &mut Reader<'_>, table: &Section<'_>, may_be_none: bool) -> Vec<At<Peer>> {
    let Some(texts) = reader.texts(table, "peers") else {
        if table.get("peers").is_none() && !may_be_none {
            reader.missing(table, "peers");
        }
        return Vec::new();
    };
    if texts.value.is_empty() && !may_be_none {
        reader.error(&texts.span, "value", "`peers` must name at least one address");
    }
    texts.value.iter().filter_map(|text| peer(reader, text)).collect()
}

fn peer(reader: &mut Reader<'_>, text: &At<&str>) -> Option<At<Peer>> {
    let peer = parse_peer(text.value);
    match &peer {
        None => {
            let fault = format!("`{}` is neither an address nor a host name, with or without a port", text.value);
            reader.error(&text.span, "value", fault);
        }
        Some(Peer::Address { port: Some(0), .. } | Peer::Name { port: Some(0), .. }) => {
            reader.error(&text.span, "value", format!("`{}` cannot be called", text.value));
        }
        Some(Peer::Address { ip, .. }) if ip.is_unspecified() => {
            reader.error(&text.span, "value", format!("`{}` cannot be called", text.value));
        }
        Some(_) => {}
    }
    peer.map(|value| At { value, span: text.span.clone() })
}

/// An address or a host name, with or without port; an IPv6 address with or without brackets.
fn parse_peer(text: &str) -> Option<Peer> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(Peer::Address { ip: address.ip().to_canonical(), port: Some(address.port()) });
    }
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if let Ok(ip) = inner.unwrap_or(text).parse::<IpAddr>() {
        let bracketed_v4 = inner.is_some() && ip.is_ipv4();
        return (!bracketed_v4).then(|| Peer::Address { ip: ip.to_canonical(), port: None });
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (text, None),
    };
    Some(Peer::Name { host: host_name(host)?.into(), port })
}

/// `auth = "ip"`, `auth = { user, password }` or `register = { user, password, … }`; the last inside `auth` too.
fn auth(reader: &mut Reader<'_>, table: &Section<'_>) -> GatewayAuth {
    if let Some(register) = reader.table(table, "register", "register") {
        if let Some(auth) = table.get("auth") {
            reader.error(&auth.span(), "value", "a [[gateway]] has either `auth` or `register`");
        }
        return registration(reader, &register);
    }
    let Some(written) = table.get("auth") else { return GatewayAuth::Ip };
    if let Some(word) = written.get_ref().as_str() {
        if word != "ip" {
            let text = "`auth` must be \"ip\", { user = \"…\", password = \"…\" } or { register = { … } }";
            reader.error(&written.span(), "value", text);
        }
        return GatewayAuth::Ip;
    }
    let Some(auth) = reader.as_table("auth", written, "auth", "\"ip\" or a table") else { return GatewayAuth::Ip };
    if auth.get("register").is_some() {
        reader.known_keys(&auth, &["register"]);
        let register = reader.table(&auth, "register", "register");
        return register.map_or(GatewayAuth::Ip, |register| registration(reader, &register));
    }
    reader.known_keys(&auth, &["user", "password"]);
    let (user, password) = credentials(reader, &auth);
    GatewayAuth::Digest { user, password }
}

fn registration(reader: &mut Reader<'_>, register: &Section<'_>) -> GatewayAuth {
    reader.known_keys(register, &["user", "password", "domain", "required"]);
    let (user, password) = credentials(reader, register);
    let domain = reader.text(register, "domain").and_then(|domain| valid_domain(reader, &domain));
    let required = reader.boolean(register, "required").is_some_and(|required| required.value);
    GatewayAuth::Register { user, password, domain, required }
}

fn credentials(reader: &mut Reader<'_>, table: &Section<'_>) -> (String, String) {
    let mut text = |key: &'static str| {
        let text = reader.required(table, key);
        if let Some(text) = text.as_ref().filter(|text| text.value.is_empty()) {
            reader.error(&text.span, "value", format!("`{key}` must not be empty"));
        }
        text.map_or("", |text| text.value).to_owned()
    };
    (text("user"), text("password"))
}

#[cfg(test)]
mod tests {
    use super::{Peer, parse_peer};

    #[test]
    fn peers() {
        for (written, ip, port) in [
            ("192.0.2.1", "192.0.2.1", None),
            ("192.0.2.1:5070", "192.0.2.1", Some(5070)),
            ("2001:db8::1", "2001:db8::1", None),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("[2001:db8::1]:5070", "2001:db8::1", Some(5070)),
            ("::ffff:192.0.2.1", "192.0.2.1", None),
        ] {
            let ip = ip.parse().expect("an address");
            assert_eq!(parse_peer(written), Some(Peer::Address { ip, port }), "{written}");
        }
        for (written, host, port) in [
            ("sip.example.net", "sip.example.net", None),
            ("SIP.Example.Net.:5070", "sip.example.net", Some(5070)),
            ("gateway", "gateway", None),
        ] {
            assert_eq!(parse_peer(written), Some(Peer::Name { host: host.to_owned(), port }), "{written}");
        }
        let refused =
            ["", "192.0.2.1:", "192.0.2.1:99999", "[192.0.2.1]", "192.0.2.256", "a b", "a.example:", "a:b", "a:1:2"];
        for refused in refused {
            assert_eq!(parse_peer(refused), None, "{refused}");
        }
    }
}
