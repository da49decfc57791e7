//! What a reload changes, in words.

use super::gateways::Gateway;
use super::model::Config;
use super::phones::{Block, Phones, Profile};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Names that are listed where phones or gateways change; of more only the number is told.
const NAMES_LISTED: usize = 5;

impl Config {
    /// How `new` differs from this configuration, one change an entry; of phones and gateways with many changes the
    /// number. Empty where nothing does. What the process takes up at its start only says `(needs a restart)`.
    ///
    /// ```
    /// use crosspoint_core::config::Config;
    /// let old = Config::embedded("secret");
    /// let mut new = old.clone();
    /// new.parameters.set("SS_SIP_TIMEOUT_RINGING", "60").unwrap();
    /// assert_eq!(old.diff(&new), ["SS_SIP_TIMEOUT_RINGING: 120 -> 60"]);
    /// ```
    pub fn diff(&self, new: &Config) -> Vec<String> {
        let mut changes = Vec::new();
        changes.extend(value_change("domain", &self.domain, &new.domain, ""));
        changes.extend(listen_changes(self, new));
        changes.extend(value_change("state_dir", &self.state_dir, &new.state_dir, RESTART));
        changes.extend(value_change("event_log", &self.event_log, &new.event_log, RESTART));
        changes.extend(value_change("media_shards", &self.media_shards, &new.media_shards, RESTART));
        changes.extend(value_change("media_batch_us", &self.media_batch_us, &new.media_batch_us, ""));
        changes.extend(value_change("digest_algorithms", &self.digest_algorithms, &new.digest_algorithms, ""));
        changes.extend(value_change("max_calls", &self.max_calls, &new.max_calls, ""));
        changes.extend(value_change("nameservers", &self.nameservers, &new.nameservers, ""));
        changes.extend(map_change("networks", &networks(self), &networks(new)));
        changes.extend(tone_changes(self, new));
        changes.extend(map_change("phones", &singles(&self.phones), &singles(&new.phones)));
        changes.extend(map_change("phone blocks", &blocks(&self.phones), &blocks(&new.phones)));
        changes.extend(map_change("groups", &groups(self), &groups(new)));
        changes.extend(map_change("gateways", &gateways(self), &gateways(new)));
        changes.extend(parameter_changes(self, new));
        changes
    }

    /// Whether `new` can be taken up whole without a restart.
    pub fn needs_restart(&self, new: &Config) -> bool {
        self.listen != new.listen
            || self.state_dir != new.state_dir
            || self.event_log != new.event_log
            || self.media_shards != new.media_shards
            || PORT_RANGES.iter().any(|name| self.parameters.get(name) != new.parameters.get(name))
    }

    /// Keeps from `old`, which is in force, what only a restart changes, so that the next reload tells it again.
    pub(crate) fn keep_until_restart(&mut self, old: &Config) {
        self.listen.clone_from(&old.listen);
        self.state_dir.clone_from(&old.state_dir);
        self.event_log.clone_from(&old.event_log);
        self.media_shards = old.media_shards;
        for name in PORT_RANGES {
            let value = old.parameters.get(name).expect("the table has it");
            self.parameters.set(name, &value).expect("what is listed passes its check");
        }
    }
}

const RESTART: &str = " (needs a restart)";

/// The parameters that only a restart changes: the ports are numbered and divided among the shards at the start.
const PORT_RANGES: [&str; 2] = ["SS_RTP_PORT_RANGE", "IVR_RTP_PORT"];

fn value_change<T: PartialEq + Debug>(name: &str, old: &T, new: &T, note: &str) -> Option<String> {
    (old != new).then(|| format!("{name}: {old:?} -> {new:?}{note}"))
}

fn listen_changes(old: &Config, new: &Config) -> Option<String> {
    let list = |config: &Config| {
        let one = |listen: &super::Listen| format!("{} as {}", listen.bind, listen.advertise);
        config.listen.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    (old.listen != new.listen).then(|| format!("listen: {} -> {}{RESTART}", list(old), list(new)))
}

fn networks(config: &Config) -> BTreeMap<String, &super::Network> {
    config.networks.iter().map(|network| (network.name.clone(), network)).collect()
}

fn singles(phones: &Phones) -> BTreeMap<String, &Profile> {
    phones.singles().iter().map(|single| (single.user.clone(), &single.profile)).collect()
}

fn blocks(phones: &Phones) -> BTreeMap<String, &Profile> {
    let name = |block: &Block| {
        let Block { prefix, width, first, last, .. } = block;
        format!("{prefix}{first:0width$}..{prefix}{last:0width$}")
    };
    phones.blocks().iter().map(|block| (name(block), &block.profile)).collect()
}

fn groups(config: &Config) -> BTreeMap<String, &super::Group> {
    config.groups.iter().map(|group| (group.name.clone(), group)).collect()
}

fn gateways(config: &Config) -> BTreeMap<String, &Gateway> {
    config.gateways.iter().map(|gateway| (gateway.name.clone(), gateway)).collect()
}

fn tone_changes(old: &Config, new: &Config) -> Vec<String> {
    let (old, new) = (&old.tones, &new.tones);
    let files = |tones: &super::Tones| -> BTreeMap<String, String> {
        tones.announcements.iter().map(|(reason, file)| (reason.name().to_owned(), file.to_owned())).collect()
    };
    let times = value_change("announcements are heard", &old.announcement_times, &new.announcement_times, " times");
    [
        (old.ringback != new.ringback).then(|| format!("ringback: {} -> {}", old.ringback, new.ringback)),
        value_change("folder of recordings", &old.folder, &new.folder, ""),
        map_change("announcements", &files(old), &files(new)),
        times,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What was added, removed and changed, by name.
fn map_change<T: PartialEq>(what: &str, old: &BTreeMap<String, T>, new: &BTreeMap<String, T>) -> Option<String> {
    let added = new.keys().filter(|&name| !old.contains_key(name)).collect();
    let removed = old.keys().filter(|&name| !new.contains_key(name)).collect();
    let differs = |name: &&String| new.get(*name).is_some_and(|value| old.get(*name) != Some(value));
    let changed = old.keys().filter(differs).collect();
    let parts: Vec<String> =
        [("added", added), ("removed", removed), ("changed", changed)].into_iter().filter_map(named).collect();
    (!parts.is_empty()).then(|| format!("{what}: {}", parts.join("; ")))
}

fn named((verb, names): (&str, Vec<&String>)) -> Option<String> {
    let shown: Vec<&str> = names.iter().take(NAMES_LISTED).map(|name| name.as_str()).collect();
    match names.len() {
        0 => None,
        1..=NAMES_LISTED => Some(format!("{verb} {}", shown.join(", "))),
        more => Some(format!("{verb} {more} ({}, \u{2026})", shown.join(", "))),
    }
}

fn parameter_changes(old: &Config, new: &Config) -> Vec<String> {
    let both = old.parameters.list().zip(new.parameters.list());
    both.filter(|((_, old), (_, new))| old != new)
        .map(|((spec, old), (_, new))| {
            let note = if PORT_RANGES.contains(&spec.name) { RESTART } else { "" };
            format!("{}: {old} -> {new}{note}", spec.name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::RESTART;
    use crate::config::{Config, parse};

    fn config(text: &str) -> Config {
        parse(text).unwrap_or_else(|faults| panic!("{faults}")).config
    }

    #[test]
    fn every_kind_of_change_is_told() {
        let old = config(
            "[switch]\ndomain = \"a\"\n[[listen]]\nbind = \"127.0.0.1:5060\"\n\
             [[phone]]\nuser = \"gone\"\npassword = \"x\"\n[[phone]]\nuser = \"same\"\npassword = \"x\"\n\
             [[phone]]\nuser = \"new-password\"\npassword = \"x\"\n[[phone]]\nusers = \"u01..u09\"\npassword = \"x\"\n\
             [[gateway]]\nname = \"west\"\ndirection = \"routing\"\npeers = [\"192.0.2.1\"]\n",
        );
        let new = config(
            "[switch]\ndomain = \"b\"\nmax_calls = 9\nmedia_shards = 3\nmedia_batch_us = 0\nstate_dir = \"/tmp\"\ndigest_algorithms = [\"SHA-256\"]\n\
             [parameters]\nSS_QOS_SIGNAL = \"CS3\"\nSS_RTP_PORT_RANGE = \"10000,19999\"\n[[listen]]\nbind = \"127.0.0.1:5070\"\n\
             [tones]\nringback = \"440+480/2000,4000\"\nfolder = \".\"\n[announcements]\nbusy = \"b.wav\"\ntimes = 2\n\
             [[network]]\nname = \"office\"\ncidrs = [\"10.0.0.0/8\"]\n[[group]]\nname = \"europe\"\n\
             [[phone]]\nuser = \"same\"\npassword = \"x\"\n[[phone]]\nuser = \"new-password\"\npassword = \"y\"\n\
             [[phone]]\nusers = \"u01..u99\"\npassword = \"x\"\n\
             [[gateway]]\nname = \"west\"\ndirection = \"routing\"\npeers = [\"192.0.2.1\"]\ncapacity = 9\n",
        );
        insta::assert_snapshot!(old.diff(&new).join("\n"), @r#"
        domain: "a" -> "b"
        listen: 127.0.0.1:5060 as 127.0.0.1:5060 -> 127.0.0.1:5070 as 127.0.0.1:5070 (needs a restart)
        state_dir: None -> Some("/tmp") (needs a restart)
        media_shards: None -> Some(3) (needs a restart)
        media_batch_us: 500 -> 0
        digest_algorithms: [Md5] -> [Sha256]
        max_calls: 0 -> 9
        networks: added office
        ringback: 425/1000,4000 -> 440+480/2000,4000
        folder of recordings: None -> Some(".")
        announcements: added busy
        announcements are heard: 1 -> 2 times
        phones: removed gone; changed new-password
        phone blocks: added u01..u99; removed u01..u09
        groups: added europe
        gateways: changed west
        SS_RTP_PORT_RANGE: 10000,39999 -> 10000,19999 (needs a restart)
        SS_QOS_SIGNAL: 0xa0 -> 0x60
        "#);
        assert!(old.needs_restart(&new));
        assert_eq!(old.diff(&old), [""; 0]);
        let mut in_force = new.clone();
        in_force.keep_until_restart(&old);
        let (told, still) = (old.diff(&new), in_force.diff(&new));
        let waits: Vec<_> = told.into_iter().filter(|change| change.ends_with(RESTART)).collect();
        assert_eq!(still, waits, "and nothing else waits");
        assert!(!old.needs_restart(&in_force));
    }

    #[test]
    fn many_changes_are_counted() {
        let phone = |i: u32| format!("[[phone]]\nuser = \"{i:02}\"\npassword = \"x\"\n");
        let new = config(&(0..20).map(phone).collect::<String>());
        insta::assert_snapshot!(config("").diff(&new).join("\n"), @"phones: added 20 (00, 01, 02, 03, 04, …)");
        assert!(!config("").needs_restart(&new));
    }
}
