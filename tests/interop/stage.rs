//! A switch between gateways that SIPp plays: one brings calls in, others take them out.

use crate::folder;
use crate::script::Script;
use crosspoint_tests::ports::{free_udp_port, wait_until_bound};
use crosspoint_tests::sipp::Sipp;
use crosspoint_tests::switch::Switch;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The switch and the ports of the caller and of `N` callees.
pub(crate) struct Stage<const N: usize> {
    folder: PathBuf,
    /// The switch in the middle.
    pub(crate) switch: Switch,
    caller: u16,
    callees: [u16; N],
    calls: usize,
}

/// A call that is being played.
pub(crate) struct Scene(Vec<Sipp>);

impl Scene {
    /// Waits until it has gone as its scripts say.
    pub(crate) fn end(mut self) {
        // the caller first: it says best what went wrong
        for peer in self.0.iter_mut().rev() {
            peer.wait_for_success(1);
        }
    }
}

impl<const N: usize> Stage<N> {
    /// Starts the switch with these lines of configuration, a mapping gateway `in`, and the routing gateways that
    /// `gateways` makes of the callees' ports: name, port, further lines.
    pub(crate) fn set<const M: usize>(
        name: &str,
        also: &str,
        gateways: impl FnOnce([u16; N]) -> [(&'static str, u16, String); M],
    ) -> Stage<N> {
        let folder = folder(name);
        let (caller, callees) = (free_udp_port(), [(); N].map(|()| free_udp_port()));
        let mut text =
            format!("{also}[[gateway]]\nname = \"in\"\ndirection = \"mapping\"\npeers = [\"127.0.0.1:{caller}\"]\n\n");
        for (name, port, lines) in gateways(callees) {
            let peers = format!("peers = [\"127.0.0.1:{port}\"]");
            write!(text, "[[gateway]]\nname = \"{name}\"\ndirection = \"routing\"\n{peers}\n{lines}\n")
                .expect("a String takes all");
        }
        let switch = Switch::start_with(&folder, &text);
        Stage { folder, switch, caller, callees, calls: 0 }
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn start(&self, script: Script, port: u16) -> Sipp {
        let (name, xml) = script.finish();
        let path = self.folder.join(format!("{name}.xml"));
        std::fs::write(&path, xml).expect("the test's folder can be written");
        let messages = format!("{name}.messages");
        let arguments = ["-m", "1", "-trace_msg", "-message_file", &messages];
        Sipp::start(&self.folder, &path, self.switch.port, port, &arguments)
    }

    /// Plays one call; a callee without a script does not listen.
    pub(crate) fn play(&mut self, caller: Script, callees: [Option<Script>; N]) {
        self.begin(caller, callees).end();
    }

    /// Begins to play it.
    pub(crate) fn begin(&mut self, caller: Script, callees: [Option<Script>; N]) -> Scene {
        let mut peers = Vec::new();
        for (script, port) in callees.into_iter().zip(self.callees) {
            if let Some(script) = script {
                peers.push(self.start(script, port));
                wait_until_bound(port);
            }
        }
        peers.push(self.start(caller, self.caller));
        self.calls += 1;
        Scene(peers)
    }

    /// The switch holds nothing in the end and has billed every call; returns the records.
    pub(crate) fn strike(mut self) -> Vec<BTreeMap<String, String>> {
        // a call's transactions and timers outlive it by at most 64*T1 = 32 s (RFC 3261 §17)
        self.switch.wait_for_zero(&["calls", "transactions", "timers"], Duration::from_secs(45));
        self.switch.stop();
        let records = self.switch.records();
        assert_eq!(records.len(), self.calls, "one record for each call");
        records
    }
}
