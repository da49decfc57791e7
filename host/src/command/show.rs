//! `status`, `calls`, `trunks`, `registrations`: what a running switch holds.

use super::ports::overdue_warning;
use super::table::columns;
use super::{Done, print, print_json, state_dir_of};
use crate::admin::{self, PAGE, Request};
use crate::cli::{ListArgs, ShowArgs};
use serde_json::Value;
use std::path::Path;

pub(crate) fn status(args: &ShowArgs) -> Done {
    let status = admin::ask_value(&state_dir_of(&args.state)?, &Request::Status)?;
    if args.json {
        return print_json(&status);
    }
    let mut lines = String::new();
    flatten("", &status, &mut lines);
    lines.push_str(&overdue_warning(&status["ports_overdue"]));
    print(&lines)
}

/// One `name value` line for each figure, those of inner objects under the outer name.
fn flatten(prefix: &str, value: &Value, lines: &mut String) {
    let inner = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(&inner(name), value, lines)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| flatten(&inner(&i.to_string()), v, lines)),
        Value::String(text) => lines.push_str(&format!("{prefix:<40} {text}\n")),
        other => lines.push_str(&format!("{prefix:<40} {other}\n")),
    }
}

pub(crate) fn calls(args: &ListArgs) -> Done {
    let ListArgs { show, limit } = args;
    let calls = admin::ask_value(&state_dir_of(&show.state)?, &Request::Calls { limit: *limit })?;
    if show.json {
        return print_json(&calls);
    }
    let rows: Vec<[String; 7]> = items(&calls)
        .map(|call| {
            ["flow_no", "state", "caller", "callee", "talk_ms", "media_rule", "call_id_in"].map(|f| cell(call, f))
        })
        .collect();
    print(&columns(["CALL", "STATE", "CALLER", "CALLEE", "TALK MS", "MEDIA", "CALL-ID"], &rows))
}

pub(crate) fn trunks(args: &ShowArgs) -> Done {
    let trunks = admin::ask_value(&state_dir_of(&args.state)?, &Request::Trunks)?;
    if args.json {
        return print_json(&trunks);
    }
    let until = |trunk: &Value, field: &str| {
        trunk[field].as_u64().map_or(String::new(), |ms| crate::utc::Stamp(ms / 1000).to_string())
    };
    let rows: Vec<[String; 9]> = items(&trunks)
        .map(|trunk| {
            let usable = if trunk["usable"] == true { "yes".to_owned() } else { cell(trunk, "rule") };
            let [gateway, health, rtt_ms, registration, fault, calls] =
                ["gateway", "health", "ping_rtt_ms", "registration", "registration_fault", "calls"]
                    .map(|f| cell(trunk, f));
            let (not_until, registered) = (until(trunk, "until_ms"), until(trunk, "registered_until_ms"));
            [gateway, usable, not_until, health, rtt_ms, registration, registered, fault, calls]
        })
        .collect();
    let headings =
        ["GATEWAY", "USABLE", "NOT UNTIL", "HEALTH", "RTT MS", "REGISTRATION", "REGISTERED UNTIL", "FAULT", "CALLS"];
    print(&columns(headings, &rows))
}

pub(crate) fn registrations(args: &ShowArgs) -> Done {
    let all = all_registrations(&state_dir_of(&args.state)?)?;
    if args.json {
        return print_json(&all);
    }
    let rows: Vec<[String; 4]> = all
        .iter()
        .map(|binding| {
            let remote = cell(&binding["flow"], "remote");
            let until_us = binding["expires_at"].as_u64().unwrap_or(0);
            let until = crate::utc::Stamp(until_us / 1_000_000).to_string();
            [cell(binding, "aor"), cell(binding, "contact"), remote, until]
        })
        .collect();
    print(&columns(["USER", "CONTACT", "FROM", "UNTIL"], &rows))
}

/// Every binding, page by page.
fn all_registrations(state_dir: &Path) -> Result<Vec<Value>, String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = admin::ask_value(state_dir, &Request::Registrations { after, limit: PAGE })?;
        all.extend(items(&page["registrations"]).cloned());
        match page["next"].as_u64() {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter()
}

/// A field as text; empty where there is none.
pub(super) fn cell(value: &Value, field: &str) -> String {
    match &value[field] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
