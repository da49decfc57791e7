//! From the text of a configuration file to its validated form.

use super::gateways::Gateways;
use super::model::{Config, DEFAULT_ALGORITHMS, DEFAULT_BIND, DEFAULT_DOMAIN, Listen};
use super::reader::{At, Reader, Section};
use super::{groups, network, parameters, parse_gateway, parse_phone, parse_tones};
use crate::auth::Algorithm;
use crate::finding::{Finding, Findings};
use crate::input::Transport;
use crate::limits;
use crate::nearest::nearest;
use crate::params::{System, did_you_mean};
use std::net::SocketAddr;
use std::path::PathBuf;
use toml::de::DeTable;

/// A configuration, and what is odd about the text it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The configuration.
    pub config: Config,
    /// In the order of the text; no errors among them.
    pub warnings: Vec<Finding>,
}

const ROOT: &[&str] =
    &["switch", "parameters", "listen", "network", "tones", "announcements", "phone", "group", "gateway"];
const SWITCH: &[&str] = &[
    "domain",
    "state_dir",
    "media_shards",
    "media_batch_us",
    "event_log",
    "digest_algorithms",
    "nameservers",
    "presets",
    "max_calls",
];
const LISTEN: &[&str] = &["transport", "bind", "advertise", "network"];

/// Most `[[listen]]` tables: a few addresses with a few transports each. A socket's number has 16 bits.
const LISTENS: usize = 256;

/// Parses and validates a configuration file for Linux as it comes.
///
/// # Errors
/// Every fault that was found, and the warnings with them.
///
/// ```
/// let faults = crosspoint_core::config::parse("[[listen]]\nbnd = \"127.0.0.1:5060\"\n").unwrap_err();
/// assert_eq!(
///     faults.to_string(),
///     "1:1: error: [[listen]] needs `bind` (missing-key)\n\
///      2:1: error: unknown key `bnd` in [[listen]], did you mean `bind`? (unknown-key)"
/// );
/// ```
pub fn parse(text: &str) -> Result<Parsed, Findings> {
    parse_on(text, &System::default())
}

/// [`parse`], for this system.
///
/// # Errors
/// As [`parse`].
pub fn parse_on(text: &str, system: &System) -> Result<Parsed, Findings> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let document = if errors.is_empty() { Ok(&document) } else { Err(errors.as_slice()) };
    let mut reader = Reader::new(text);
    let config = reader.document(document).map(|root| config(&mut reader, &root, system));
    let findings = reader.finish();
    match config {
        Some(config) if !findings.has_errors() => Ok(Parsed { config, warnings: findings.into_vec() }),
        _ => Err(findings),
    }
}

/// What could be read; of use only where no error was found.
fn config(reader: &mut Reader<'_>, root: &Section<'_>, system: &System) -> Config {
    reader.known_keys(root, ROOT);
    let switch = reader.table(root, "switch", "[switch]");
    let mut config = Config { phones: Default::default(), ..Config::embedded("") };
    if let Some(switch) = &switch {
        read_switch(reader, switch, &mut config);
    }
    config.parameters = parameters::read(reader, root, switch.as_ref(), system);
    config.networks = network::read(reader, root);
    config.listen = listens(reader, root, &config);
    config.tones = parse_tones::read(reader, root);
    config.phones = parse_phone::read(reader, root, &config);
    parse_tones::number(reader, root, &mut config.tones, &config.phones);
    config.groups = groups::read(reader, root);
    config.gateways = Gateways::new(parse_gateway::read(reader, root, &config));
    config
}

fn read_switch(reader: &mut Reader<'_>, switch: &Section<'_>, config: &mut Config) {
    reader.known_keys(switch, SWITCH);
    config.domain = reader
        .text(switch, "domain")
        .and_then(|domain| valid_domain(reader, &domain))
        .unwrap_or_else(|| DEFAULT_DOMAIN.to_owned());
    config.state_dir = path(reader, switch, "state_dir");
    config.event_log = path(reader, switch, "event_log");
    if let Some(shards) = reader.whole(switch, "media_shards", 1..=1024) {
        config.media_shards = u16::try_from(shards.value).ok();
    }
    if let Some(batch) = reader.whole(switch, "media_batch_us", 0..=5000) {
        config.media_batch_us = batch.value;
    }
    config.max_calls = reader.whole(switch, "max_calls", 0..=1_000_000).map_or(0, |calls| calls.value);
    config.digest_algorithms = algorithms(reader, switch).unwrap_or_else(|| DEFAULT_ALGORITHMS.to_vec());
    config.nameservers = nameservers(reader, switch);
}

/// The nameservers, with port 53 (RFC 1035 §4.2) where none is written.
fn nameservers(reader: &mut Reader<'_>, switch: &Section<'_>) -> Vec<SocketAddr> {
    let Some(texts) = reader.texts(switch, "nameservers") else { return Vec::new() };
    if texts.value.is_empty() {
        reader.error(
            &texts.span,
            "value",
            "`nameservers` must name at least one; without the key the host's are asked",
        );
    }
    if texts.value.len() > limits::NAMESERVERS {
        let fault = format!("`nameservers` has more than {} addresses", limits::NAMESERVERS);
        reader.error(&texts.span, "value", fault);
    }
    let mut servers = Vec::new();
    for text in texts.value {
        let with_port = text.value.parse::<SocketAddr>().ok();
        let address = with_port.or_else(|| Some(SocketAddr::new(text.value.parse().ok()?, 53)));
        match address {
            Some(address) if address.port() != 0 && !address.ip().is_unspecified() => servers.push(address),
            _ => {
                let fault = "`nameservers` must be addresses, such as 192.0.2.53 or 127.0.0.1:5353";
                reader.error(&text.span, "value", fault);
            }
        }
    }
    servers
}

/// A host name or an address (RFC 3261 §25.1 `host`); it goes into the quoted realm of a challenge as it is.
pub(super) fn valid_domain(reader: &mut Reader<'_>, domain: &At<&str>) -> Option<String> {
    let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let valid = !domain.value.is_empty() && domain.value.len() <= 253 && domain.value.chars().all(host);
    if !valid {
        reader.error(&domain.span, "value", "`domain` must be a host name or an address, at most 253 octets");
    }
    valid.then(|| domain.value.to_owned())
}

pub(super) fn path(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<PathBuf> {
    let path = reader.text(section, key)?;
    if path.value.is_empty() || path.value.contains('\0') {
        reader.error(&path.span, "value", format!("`{key}` must be a path"));
        return None;
    }
    Some(PathBuf::from(path.value))
}

fn algorithms(reader: &mut Reader<'_>, switch: &Section<'_>) -> Option<Vec<Algorithm>> {
    let names = reader.texts(switch, "digest_algorithms")?;
    if names.value.is_empty() {
        reader.error(&names.span, "value", "`digest_algorithms` must name at least one");
    }
    let mut algorithms = Vec::new();
    for name in names.value {
        match Algorithm::parse(name.value) {
            Some(algorithm) if algorithms.contains(&algorithm) => {
                reader.error(&name.span, "duplicate", format!("`{}` is there twice", algorithm.name()));
            }
            Some(algorithm) => algorithms.push(algorithm),
            None => {
                let hint = did_you_mean(nearest(name.value, Algorithm::ALL.map(Algorithm::name)));
                reader.error(&name.span, "value", format!("unknown digest algorithm `{}`{hint}", name.value));
            }
        }
    }
    Some(algorithms)
}

fn listens(reader: &mut Reader<'_>, root: &Section<'_>, config: &Config) -> Vec<Listen> {
    let tables = reader.tables(root, "listen", "[[listen]]");
    if root.get("listen").is_none() {
        reader.warn(&root.span, "no-listen", format!("no [[listen]]: only {DEFAULT_BIND} is served, over UDP"));
        return vec![Listen::udp(DEFAULT_BIND)];
    }
    let mut listens: Vec<Listen> = Vec::new();
    for table in &tables {
        let Some((listen, bind)) = listen(reader, table, config) else { continue };
        if bind.value.port() != 0 && listens.iter().any(|earlier| earlier.bind == listen.bind) {
            reader.error(&bind.span, "duplicate", format!("{} is bound already", bind.value));
        } else if listens.len() == LISTENS {
            reader.error(&table.span, "value", format!("more than {LISTENS} [[listen]] tables"));
            break;
        }
        listens.push(listen);
    }
    if let Some(value) =
        root.get("listen").filter(|value| value.get_ref().as_array().is_some_and(|list| list.is_empty()))
    {
        reader.error(&value.span(), "value", "`listen` is empty: nothing would be served");
    }
    listens
}

fn listen(reader: &mut Reader<'_>, table: &Section<'_>, config: &Config) -> Option<(Listen, At<SocketAddr>)> {
    reader.known_keys(table, LISTEN);
    let transport = reader.text(table, "transport");
    let served = transport.is_none_or(|transport| served(reader, &transport));
    let network = reader.text(table, "network").map(|name| network::tag(reader, &name, &config.networks));
    let bind = reader.required(table, "bind").and_then(|bind| socket_address(reader, "bind", &bind));
    let advertise = reader.text(table, "advertise").and_then(|text| socket_address(reader, "advertise", &text));
    let bind = bind?;
    if let Some(advertise) = advertise.as_ref().filter(|address| address.value.ip().is_unspecified()) {
        reader.error(&advertise.span, "value", "`advertise` must be an address that others can send to");
    }
    if table.get("advertise").is_none() && bind.value.ip().is_unspecified() {
        let text = format!(
            "{} is every address of this host: `advertise` must say which one Via and Contact carry",
            bind.value
        );
        reader.error(&bind.span, "advertise", text);
    }
    let advertise = advertise.map_or(bind.value, |address| address.value);
    served.then_some((Listen { transport: Transport::Udp, bind: bind.value, advertise, network }, bind))
}

/// Whether this build serves a transport.
fn served(reader: &mut Reader<'_>, transport: &At<&str>) -> bool {
    let name = transport.value.to_ascii_lowercase();
    match name.as_str() {
        "udp" => return true,
        "tcp" | "tls" | "ws" | "wss" => {
            reader.error(&transport.span, "transport", format!("this build does not serve {name}: only udp"));
        }
        _ => {
            let hint = did_you_mean(nearest(&name, ["udp", "tcp", "tls", "ws", "wss"]));
            reader.error(&transport.span, "value", format!("unknown transport `{}`{hint}", transport.value));
        }
    }
    false
}

fn socket_address(reader: &mut Reader<'_>, key: &str, text: &At<&str>) -> Option<At<SocketAddr>> {
    let address = text.value.parse().ok();
    if address.is_none() {
        let fault = format!("`{key}` must be an address and a port, such as 192.0.2.10:5060 or [2001:db8::1]:5060");
        reader.error(&text.span, "value", fault);
    }
    address.map(|value| At { value, span: text.span.clone() })
}
