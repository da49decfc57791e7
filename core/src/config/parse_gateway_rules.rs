//! What a `[[gateway]]` says about routing.

use super::gateway_rules::{
    Digits, Failover, GatewayRules, MaxDuration, NumberRules, Numbers, Prefix, Redirect, Rel100, Reserved, Rewrite,
    Timeouts,
};
use super::gateways::Gateway;
use super::groups::Group;
use super::model::Config;
use super::reader::{At, Reader, Section};
use crate::nearest::nearest;
use crate::params::did_you_mean;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// The keys of a `[[gateway]]` that are about routing.
pub const KEYS: &[&str] = &[
    "prefixes",
    "group",
    "reserved",
    "in",
    "callee_allow",
    "callee_deny",
    "callee_digits",
    "rewrite_callee",
    "caller_allow",
    "caller_deny",
    "caller_digits",
    "rewrite_caller",
    "caller_id",
    "max_duration_s",
    "timeout_invite_s",
    "timeout_trying_s",
    "timeout_progress_s",
    "timeout_progress_sdp_s",
    "timeout_ringing_s",
    "failover",
    "redirect",
    "rel100",
];
/// Those of them that hold for calls that go out only.
const OUTWARD: &[&str] = &[
    "prefixes",
    "reserved",
    "callee_allow",
    "callee_deny",
    "callee_digits",
    "rewrite_callee",
    "caller_allow",
    "caller_deny",
    "caller_digits",
    "rewrite_caller",
    "caller_id",
    "failover",
    "redirect",
];
/// Those of `in`.
const NUMBERS: &[&str] = &[
    "callee_allow",
    "callee_deny",
    "callee_digits",
    "rewrite_callee",
    "caller_allow",
    "caller_deny",
    "caller_digits",
    "rewrite_caller",
];

/// Longest number or part of one, octets.
const NUMBER_BYTES: usize = 64;
/// Longest call timer, as for the parameters.
const TIMEOUT_MAX_S: u32 = 3600;
/// Longest `max_duration_s`: a week, as for SS_SIP_NO_TIMER_REINVITE_INTERVAL.
const DURATION_MAX_S: u32 = 604_800;

/// `direction`: whether the gateway brings calls in, and whether it takes them out.
pub(super) fn read(
    reader: &mut Reader<'_>,
    table: &Section<'_>,
    config: &Config,
    direction: (bool, bool),
) -> GatewayRules {
    let (mapping, routing) = direction;
    if mapping && !routing {
        for key in OUTWARD {
            if let Some(value) = table.get(key) {
                let text = format!("`{key}` is for calls that go out, and this gateway only brings calls in");
                let hint = if NUMBERS.contains(key) {
                    format!("; for those: `in = {{ {key} = … }}`")
                } else {
                    String::new()
                };
                reader.warn(&value.span(), "no-effect", text + &hint);
            }
        }
    }
    let inward = match reader.table(table, "in", "in") {
        None => Numbers::default(),
        Some(section) => {
            reader.known_keys(&section, NUMBERS);
            if routing && !mapping {
                let text = "`in` is for calls that a gateway brings in, and this one only takes calls out";
                reader.warn(&section.span, "no-effect", text);
            }
            numbers(reader, &section)
        }
    };
    GatewayRules {
        prefixes: prefixes(reader, table),
        group: group(reader, table, &config.groups),
        reserved: reserved(reader, table),
        inward,
        outward: numbers(reader, table),
        caller_ids: caller_ids(reader, table),
        max_duration: max_duration(reader, table),
        timeouts: timeouts(reader, table),
        failover: failover(reader, table),
        redirect: redirect(reader, table),
        rel100: rel100(reader, table),
    }
}

/// The prefixes; without any it takes every number.
fn prefixes(reader: &mut Reader<'_>, table: &Section<'_>) -> Vec<Prefix> {
    let Some(value) = table.get("prefixes") else { return vec![Prefix { digits: String::new(), continues: false }] };
    let Some(array) = value.get_ref().as_array() else {
        reader.wrong_type("prefixes", value, "a list of prefixes");
        return Vec::new();
    };
    if array.is_empty() {
        reader.warn(&value.span(), "no-prefixes", "without a prefix it takes no call; \"\" is everything");
    }
    let mut prefixes: Vec<Prefix> = Vec::new();
    for value in array.iter() {
        let Some(prefix) = prefix(reader, value) else { continue };
        if prefixes.iter().any(|other| other.digits == prefix.digits) {
            reader.error(&value.span(), "duplicate", format!("prefix `{}` is there already", prefix.digits));
        }
        prefixes.push(prefix);
    }
    prefixes
}

/// A text, or a table with a mode.
fn prefix<'d>(reader: &mut Reader<'_>, value: &'d Spanned<DeValue<'d>>) -> Option<Prefix> {
    if value.get_ref().as_table().is_none() {
        let text = reader.as_text("prefixes", value)?;
        return Some(Prefix { digits: number(reader, "prefixes", &text)?, continues: false });
    }
    let table = reader.as_table("prefixes", value, "a prefix", "a text or a table")?;
    reader.known_keys(&table, &["prefix", "mode"]);
    let digits = reader.required(&table, "prefix").and_then(|text| number(reader, "prefix", &text));
    let continues = match reader.text(&table, "mode") {
        None => false,
        Some(mode) => match mode.value {
            "terminate" => false,
            "continue" => true,
            other => {
                let hint = did_you_mean(nearest(other, ["terminate", "continue"]));
                reader.error(&mode.span, "value", format!("`mode` must be `terminate` or `continue`{hint}"));
                false
            }
        },
    };
    Some(Prefix { digits: digits?, continues })
}

fn group(reader: &mut Reader<'_>, table: &Section<'_>, groups: &[Group]) -> String {
    let Some(name) = reader.text(table, "group") else { return String::new() };
    let names = || groups.iter().map(|group| group.name.as_str());
    if !names().any(|known| known == name.value) {
        let hint = did_you_mean(nearest(name.value, names()));
        reader.error(&name.span, "unknown-group", format!("there is no [[group]] `{}`{hint}", name.value));
    }
    name.value.to_owned()
}

fn reserved(reader: &mut Reader<'_>, table: &Section<'_>) -> Vec<Reserved> {
    let Some(section) = reader.table(table, "reserved", "reserved") else { return Vec::new() };
    let mut reserved = Vec::new();
    for (holder, value) in section.entries() {
        if let Some(lines) = reader.as_whole(holder.value, value, &(1..=1_000_000)) {
            reserved.push(Reserved { holder: holder.value.to_owned(), lines: lines.value });
        }
    }
    reserved
}

/// Reservations whose holders are not all known yet.
#[derive(Default)]
pub(super) struct Reservations(Vec<At<String>>);

impl Reservations {
    /// Those of one gateway.
    pub(super) fn note(&mut self, reader: &mut Reader<'_>, table: &Section<'_>, rules: &GatewayRules, capacity: u32) {
        let Some(value) = table.get("reserved").filter(|_| !rules.reserved.is_empty()) else { return };
        let sum = rules.reserved.iter().map(|reserved| reserved.lines).fold(0, u32::saturating_add);
        if capacity == 0 {
            reader.error(&value.span(), "value", "`reserved` needs a `capacity` of which the lines are kept");
        } else if sum > capacity {
            let text = format!("{sum} lines are reserved and `capacity` is {capacity}");
            reader.error(&value.span(), "value", text);
        }
        let holders = rules.reserved.iter().map(|reserved| At { value: reserved.holder.clone(), span: value.span() });
        self.0.extend(holders);
    }

    /// Whether each holder is a group or a mapping gateway.
    pub(super) fn check(&self, reader: &mut Reader<'_>, gateways: &[Gateway], groups: &[Group]) {
        let mapping = gateways.iter().filter(|gateway| gateway.mapping).map(|gateway| gateway.name.as_str());
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).chain(mapping).collect();
        for holder in &self.0 {
            if !names.contains(&holder.value.as_str()) {
                let hint = did_you_mean(nearest(&holder.value, names.iter().copied()));
                let text = format!("there is no [[group]] and no mapping gateway `{}`{hint}", holder.value);
                reader.error(&holder.span, "unknown-holder", text);
            }
        }
    }
}

fn numbers(reader: &mut Reader<'_>, table: &Section<'_>) -> Numbers {
    let mut rules = |allow, deny, count, rewrite| NumberRules {
        allow: number_list(reader, table, allow),
        deny: number_list(reader, table, deny),
        digits: digits(reader, table, count),
        rewrite: rewrites(reader, table, rewrite),
    };
    Numbers {
        callee: rules("callee_allow", "callee_deny", "callee_digits", "rewrite_callee"),
        caller: rules("caller_allow", "caller_deny", "caller_digits", "rewrite_caller"),
    }
}

fn number_list(reader: &mut Reader<'_>, table: &Section<'_>, key: &str) -> Vec<String> {
    let Some(texts) = reader.texts(table, key) else { return Vec::new() };
    texts.value.iter().filter_map(|text| number(reader, key, text)).collect()
}

/// `"8"` or `"8-11"`.
fn digits(reader: &mut Reader<'_>, table: &Section<'_>, key: &str) -> Option<Digits> {
    let text = reader.text(table, key)?;
    let (min, max) = text.value.split_once('-').unwrap_or((text.value, text.value));
    let digits = match (min.trim().parse(), max.trim().parse()) {
        (Ok(min), Ok(max)) if min <= max => Some(Digits { min, max }),
        _ => None,
    };
    if digits.is_none() {
        let fault = format!("`{key}` must be how many digits a number may have, such as \"11\" or \"8-11\"");
        reader.error(&text.span, "value", fault);
    }
    digits
}

/// The rules, longest prefix first.
fn rewrites(reader: &mut Reader<'_>, table: &Section<'_>, key: &'static str) -> Vec<Rewrite> {
    let mut rules: Vec<Rewrite> = Vec::new();
    for rule in reader.tables(table, key, key) {
        reader.known_keys(&rule, &["prefix", "replace"]);
        let prefix = reader.required(&rule, "prefix");
        let replace = reader.required(&rule, "replace");
        let (Some(written), Some(replace)) = (prefix, replace) else { continue };
        let (Some(prefix), Some(replace)) = (number(reader, "prefix", &written), number(reader, "replace", &replace))
        else {
            continue;
        };
        if rules.iter().any(|other| other.prefix == prefix) {
            reader.error(&written.span, "duplicate", format!("prefix `{prefix}` is rewritten already"));
        }
        rules.push(Rewrite { prefix, replace });
    }
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.prefix.len()));
    rules
}

/// `"passthrough"`, a number, or a list of numbers.
fn caller_ids(reader: &mut Reader<'_>, table: &Section<'_>) -> Vec<String> {
    let Some(value) = table.get("caller_id") else { return Vec::new() };
    let texts = match value.get_ref().as_array() {
        Some(_) => reader.texts(table, "caller_id").map(|texts| texts.value).unwrap_or_default(),
        None => reader.text(table, "caller_id").into_iter().filter(|text| text.value != "passthrough").collect(),
    };
    let mut ids = Vec::new();
    for text in &texts {
        if text.value.is_empty() {
            reader.error(&text.span, "value", "`caller_id` must be `passthrough`, a number or a list of numbers");
        }
        ids.extend(number(reader, "caller_id", text));
    }
    ids
}

/// The vendor's `-1` (system), `0` (none), or seconds.
fn max_duration(reader: &mut Reader<'_>, table: &Section<'_>) -> MaxDuration {
    let Some(value) = table.get("max_duration_s") else { return MaxDuration::System };
    if value.get_ref().as_integer().is_some_and(|integer| integer.as_str() == "-1") {
        return MaxDuration::System;
    }
    match reader.as_whole("max_duration_s", value, &(0..=DURATION_MAX_S)) {
        None => MaxDuration::System,
        Some(At { value: 0, .. }) => MaxDuration::None,
        Some(seconds) => MaxDuration::Limit(Duration::from_secs(u64::from(seconds.value))),
    }
}

fn timeouts(reader: &mut Reader<'_>, table: &Section<'_>) -> Timeouts {
    let mut timeout = |key| {
        let seconds = reader.whole(table, key, 0..=TIMEOUT_MAX_S)?.value;
        (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)))
    };
    Timeouts {
        invite: timeout("timeout_invite_s"),
        trying: timeout("timeout_trying_s"),
        progress: timeout("timeout_progress_s"),
        progress_sdp: timeout("timeout_progress_sdp_s"),
        ringing: timeout("timeout_ringing_s"),
    }
}

fn failover(reader: &mut Reader<'_>, table: &Section<'_>) -> Failover {
    let Some(section) = reader.table(table, "failover", "failover") else { return Failover::default() };
    reader.known_keys(&section, &["limit", "after_18x", "after_sdp", "after_rtp", "after_busy", "next", "stop"]);
    let next = reader.wholes(&section, "next", 300..=699);
    let stop = reader.wholes(&section, "stop", 300..=699);
    for status in &next {
        if stop.iter().any(|other| other.value == status.value) {
            reader.error(&status.span, "duplicate", format!("{} is in `stop` too", status.value));
        }
    }
    let statuses = |list: Vec<At<u32>>| list.into_iter().filter_map(|s| u16::try_from(s.value).ok()).collect();
    let mut flag = |key| reader.boolean(&section, key).map(|flag| flag.value);
    Failover {
        after_18x: flag("after_18x"),
        after_sdp: flag("after_sdp"),
        after_rtp: flag("after_rtp"),
        after_busy: flag("after_busy"),
        limit: reader.whole(&section, "limit", 1..=100).and_then(|limit| u16::try_from(limit.value).ok()),
        next: statuses(next),
        stop: statuses(stop),
    }
}

fn redirect(reader: &mut Reader<'_>, table: &Section<'_>) -> Redirect {
    let Some(redirect) = reader.text(table, "redirect") else { return Redirect::Pass };
    match redirect.value {
        "pass" => Redirect::Pass,
        "follow" => Redirect::Follow,
        "anywhere" => Redirect::Anywhere,
        other => {
            let hint = did_you_mean(nearest(other, ["pass", "follow", "anywhere"]));
            let text = format!("`redirect` must be `pass`, `follow` or `anywhere`{hint}");
            reader.error(&redirect.span, "value", text);
            Redirect::Pass
        }
    }
}

fn rel100(reader: &mut Reader<'_>, table: &Section<'_>) -> Rel100 {
    let Some(rel100) = reader.text(table, "rel100") else { return Rel100::Auto };
    match rel100.value {
        "auto" => Rel100::Auto,
        "on" => Rel100::On,
        "off" => Rel100::Off,
        other => {
            let hint = did_you_mean(nearest(other, ["auto", "on", "off"]));
            reader.error(&rel100.span, "value", format!("`rel100` must be `auto`, `on` or `off`{hint}"));
            Rel100::Auto
        }
    }
}

/// A number, or part of one.
fn number(reader: &mut Reader<'_>, key: &str, text: &At<&str>) -> Option<String> {
    let part = |c: char| c.is_ascii_graphic() && !matches!(c, '@' | ':' | '<' | '>' | '"' | '\\');
    let valid = text.value.len() <= NUMBER_BYTES && text.value.chars().all(part);
    if !valid {
        let fault = format!("`{key}` must be part of a number: at most {NUMBER_BYTES} octets, no spaces");
        reader.error(&text.span, "value", fault);
    }
    valid.then(|| text.value.to_owned())
}
