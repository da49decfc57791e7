//! `[[gateway]]`.

use super::endpoint;
use super::gateways::{Gateway, GatewayAuth, Peer};
use super::model::Config;
use super::parse_gateway_rules::{self, Reservations};
use super::reader::{At, Reader, Section};
use crate::nearest::nearest;
use crate::params::did_you_mean;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

const KEYS: &[&str] = &["name", "direction", "peers", "auth", "register", "priority", "capacity", "media_proxy"];
const DIRECTIONS: [&str; 3] = ["mapping", "routing", "both"];

pub(super) fn read(reader: &mut Reader<'_>, root: &Section<'_>, config: &Config) -> Vec<Gateway> {
    let known: Vec<&str> = KEYS.iter().chain(parse_gateway_rules::KEYS).copied().collect();
    let mut reservations = Reservations::default();
    let mut gateways: Vec<Gateway> = Vec::new();
    let mut mapped: BTreeMap<Peer, String> = BTreeMap::new();
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
        let peers = peers(reader, &table);
        for peer in peers.iter().filter(|_| mapping) {
            if let Some(other) = mapped.insert(peer.value, name.clone()) {
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
            auth: auth(reader, &table, mapping),
            priority: reader.whole(&table, "priority", 0..=u32::MAX).map_or(0, |priority| priority.value),
            capacity,
            media_proxy: endpoint::media_proxy(reader, &table, &config.parameters),
            rules,
        });
    }
    reservations.check(reader, &gateways, &config.groups);
    gateways
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

fn peers(reader: &mut Reader<'_>, table: &Section<'_>) -> Vec<At<Peer>> {
    let Some(texts) = reader.texts(table, "peers") else {
        if table.get("peers").is_none() {
            reader.missing(table, "peers");
        }
        return Vec::new();
    };
    if texts.value.is_empty() {
        reader.error(&texts.span, "value", "`peers` must name at least one address");
    }
    texts.value.iter().filter_map(|text| peer(reader, text)).collect()
}

fn peer(reader: &mut Reader<'_>, text: &At<&str>) -> Option<At<Peer>> {
    let peer = parse_peer(text.value);
    match peer {
        None => {
            let fault = format!(
                "`{}` is no address; host names are not looked up by this build: write the address",
                text.value
            );
            reader.error(&text.span, "host-name", fault);
        }
        Some(peer) if peer.port == Some(0) || peer.ip.is_unspecified() => {
            reader.error(&text.span, "value", format!("`{}` cannot be called", text.value));
        }
        Some(_) => {}
    }
    peer.map(|value| At { value, span: text.span.clone() })
}

/// An address with or without port; an IPv6 address with or without brackets.
fn parse_peer(text: &str) -> Option<Peer> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(Peer { ip: address.ip().to_canonical(), port: Some(address.port()) });
    }
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let ip: IpAddr = inner.unwrap_or(text).parse().ok()?;
    let bracketed_v4 = inner.is_some() && ip.is_ipv4();
    (!bracketed_v4).then(|| Peer { ip: ip.to_canonical(), port: None })
}

/// `auth = "ip"`, `auth = { user, password }` or `register = { user, password }`; the last inside `auth` too.
fn auth(reader: &mut Reader<'_>, table: &Section<'_>, mapping: bool) -> GatewayAuth {
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
    let (user, password) = credentials(reader, &auth);
    if mapping {
        // Taking its calls by address alone would be weaker than what the operator asked for.
        let text = "this build does not challenge gateways: only `auth = \"ip\"` lets this one bring calls in";
        reader.error(&auth.span, "not-acted-on", text);
    } else {
        let text = "`auth` is accepted, not yet acted on: this build does not answer the challenges of gateways";
        reader.warn(&auth.span, "not-acted-on", text);
    }
    GatewayAuth::Digest { user, password }
}

fn registration(reader: &mut Reader<'_>, register: &Section<'_>) -> GatewayAuth {
    let (user, password) = credentials(reader, register);
    let text = "`register` is accepted, not yet acted on: this build does not register to gateways";
    reader.warn(&register.span, "not-acted-on", text);
    GatewayAuth::Register { user, password }
}

fn credentials(reader: &mut Reader<'_>, table: &Section<'_>) -> (String, String) {
    reader.known_keys(table, &["user", "password"]);
    let mut text = |key| reader.required(table, key).map_or("", |text| text.value).to_owned();
    (text("user"), text("password"))
}

#[cfg(test)]
mod tests {
    use super::parse_peer;

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
            let peer = parse_peer(written).expect(written);
            assert_eq!((peer.ip.to_string().as_str(), peer.port), (ip, port), "{written}");
        }
        for refused in ["", "sip.example.net", "192.0.2.1:", "192.0.2.1:99999", "[192.0.2.1]", "192.0.2.256"] {
            assert_eq!(parse_peer(refused), None, "{refused}");
        }
    }
}
