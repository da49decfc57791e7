//! `explain`: how the switch decides, rule by rule.

use super::{Done, print, print_json};
use crate::admin::{self, Request};
use crate::cli::{ExplainCommand, ExplainMediaArgs, ExplainRouteArgs};
use crate::config_file::ConfigFile;
use crosspoint_core::config::Config;
use crosspoint_core::media::{self, Seen};
use crosspoint_core::nat::Evidence;
use crosspoint_core::routing::{Caller, Explanation, endpoint, explain_config};
use std::path::Path;
use std::sync::Arc;

pub(crate) fn explain(command: &ExplainCommand) -> Done {
    match command {
        ExplainCommand::Route(args) => route(args),
        ExplainCommand::Media(args) => media(args),
    }
}

fn route(args: &ExplainRouteArgs) -> Done {
    let explanation: Explanation = match &args.by.state_dir {
        Some(state_dir) => {
            let (caller, callee) = (args.caller.clone(), args.callee.clone());
            ask(state_dir, &Request::ExplainRoute { caller, caller_number: args.caller_number.clone(), callee })?
        }
        None => {
            let config = config(args.by.config.as_deref())?;
            let caller = endpoint(&config, &args.caller)?;
            let number = args.caller_number.as_deref().unwrap_or(caller.number);
            explain_config(&config, &Caller { number, ..caller }, &args.callee)
        }
    };
    if args.by.json { print_json(&explanation) } else { print(&explanation.to_string()) }
}

fn media(args: &ExplainMediaArgs) -> Done {
    let seen = |source, via| Seen { source, socket: None, evidence: Evidence { via, ..Evidence::default() } };
    let seen = [seen(args.caller_source, args.caller_nat), seen(args.callee_source, args.callee_nat)];
    let explanation: media::Explanation = match &args.by.state_dir {
        Some(state_dir) => {
            let (caller, callee) = (args.caller.clone(), args.callee.clone());
            ask(state_dir, &Request::ExplainMedia { caller, callee, seen })?
        }
        None => {
            let config = config(args.by.config.as_deref())?;
            media::explain(&config, [&args.caller, &args.callee], seen, |_| None)?
        }
    };
    if args.by.json {
        return print_json(&explanation);
    }
    print(&explanation.to_string())
}

/// What a running switch says.
fn ask<T: serde::de::DeserializeOwned>(state_dir: &Path, request: &Request) -> Result<T, String> {
    let answer = admin::ask_value(state_dir, request)?;
    serde_json::from_value(answer).map_err(|error| error.to_string())
}

/// To explain by without a running switch.
fn config(path: Option<&Path>) -> Result<Arc<Config>, String> {
    match path {
        Some(path) => ConfigFile::at(path.to_owned()).load(),
        None => Ok(Config::embedded("").into()),
    }
}
