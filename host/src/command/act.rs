//! `hangup`, `reload`, `drain`: act on a running switch.

use super::{Done, print, state_dir_of};
use crate::admin::{self, Request};
use crate::cli::{HangupArgs, StateArgs};

pub(crate) fn hangup(args: &HangupArgs) -> Done {
    admin::ask_value(&state_dir_of(&args.state)?, &Request::Hangup { call: args.call })?;
    print(&format!("call {} is being ended\n", args.call))
}

pub(crate) fn reload(args: &StateArgs) -> Done {
    let answer = admin::ask_value(&state_dir_of(args)?, &Request::Reload)?;
    let changes = answer["changes"].as_array().map_or(&[][..], Vec::as_slice);
    let mut text = format!("configuration {} in force\n", answer["generation"]);
    if changes.is_empty() {
        text.push_str("nothing changed\n");
    }
    for change in changes.iter().filter_map(|change| change.as_str()) {
        text.push_str(&format!("{change}\n"));
    }
    print(&text)
}

pub(crate) fn drain(args: &StateArgs) -> Done {
    let answer = admin::ask_value(&state_dir_of(args)?, &Request::Drain)?;
    print(&format!("draining: {} calls still up\n", answer["calls"]))
}
