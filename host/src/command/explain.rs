//! `explain`: how the switch decides, rule by rule.

use super::{Done, print, print_json};
use crate::admin::{self, Request};
use crate::cli::{ExplainCommand, ExplainRouteArgs};
use crate::config_file::ConfigFile;
use crosspoint_core::config::Config;
use crosspoint_core::routing::{Caller, Explanation, endpoint, explain_config};

pub(crate) fn explain(command: &ExplainCommand) -> Done {
    let ExplainCommand::Route(args) = command;
    let explanation = match &args.state_dir {
        Some(state_dir) => {
            let (caller, callee) = (args.caller.clone(), args.callee.clone());
            let request = Request::ExplainRoute { caller, caller_number: args.caller_number.clone(), callee };
            let answer = admin::ask_value(state_dir, &request)?;
            serde_json::from_value(answer).map_err(|error| error.to_string())?
        }
        None => offline(args)?,
    };
    if args.json { print_json(&explanation) } else { print(&explanation.to_string()) }
}

/// By the configuration alone.
fn offline(args: &ExplainRouteArgs) -> Result<Explanation, String> {
    let config = match &args.config {
        Some(path) => ConfigFile::at(path.clone()).load()?,
        None => Config::embedded("").into(),
    };
    let caller = endpoint(&config, &args.caller)?;
    let number = args.caller_number.as_deref().unwrap_or(caller.number);
    Ok(explain_config(&config, &Caller { number, ..caller }, &args.callee))
}
