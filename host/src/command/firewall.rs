//! `firewall`: the rules that the configuration needs.

use super::{Done, print};
use crate::cli::{FirewallArgs, FirewallFormat};
use crate::config_file::ConfigFile;
use crosspoint_core::config::Config;
use crosspoint_core::ports;
use std::sync::Arc;

pub(crate) fn firewall(args: &FirewallArgs) -> Done {
    let config = match &args.config {
        Some(path) => ConfigFile::at(path.clone()).load()?,
        // The password of its phones is of no matter here.
        None => Arc::new(Config::embedded("")),
    };
    let format = match args.format {
        FirewallFormat::Nft => ports::FirewallFormat::Nft,
        FirewallFormat::Iptables => ports::FirewallFormat::Iptables,
    };
    print(&ports::firewall(&config, format))
}
