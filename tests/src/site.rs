//! Where programs of a test run: on loopback, or on hosts of a network of the test's own.
//!
//! A host is a network namespace, a cable a veth pair between two of them. [`Lab`] makes them, which needs root and
//! iproute2, and removes them when it is dropped.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;

/// A place for programs, with the address that they are reached at.
#[derive(Clone, Debug)]
pub struct Site {
    namespace: Option<String>,
    /// Its address; of a router the outer one.
    pub address: IpAddr,
}

impl Site {
    /// This machine's loopback.
    pub const LOOPBACK: Site = Site { namespace: None, address: IpAddr::V4(Ipv4Addr::LOCALHOST) };

    /// The interfaces of interest there, for a capture.
    pub(crate) fn interface(&self) -> &'static str {
        if self.namespace.is_none() { "lo" } else { "any" }
    }

    /// To start a program there. Its process id is that of the program.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let Some(namespace) = &self.namespace else { return Command::new(program) };
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(program);
        command
    }

    /// Runs a line of shell there.
    ///
    /// # Panics
    /// When it fails.
    pub fn run(&self, line: &str) {
        succeed(self.command("sh").args(["-ec", line]));
    }
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Hosts and cables, there until this is dropped.
pub struct Lab {
    hosts: Vec<String>,
    cables: usize,
}

impl Lab {
    /// One without hosts; removes what a test that was killed has left.
    pub fn new() -> Lab {
        let entries = std::fs::read_dir("/run/netns").into_iter().flatten();
        for name in entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
            let owner = name.strip_prefix("crosspoint-").and_then(|rest| rest.split('-').next());
            if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
                remove(&name);
            }
        }
        Lab { hosts: Vec::new(), cables: 0 }
    }

    /// A host with nothing but loopback.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn host(&mut self, name: &str, address: IpAddr) -> Site {
        // the process id keeps tests that run at the same time apart
        let namespace = format!("crosspoint-{}-{name}", std::process::id());
        succeed(Command::new("ip").args(["netns", "add", &namespace]));
        self.hosts.push(namespace.clone());
        let site = Site { namespace: Some(namespace), address };
        site.run("ip link set lo up");
        site
    }

    /// A cable between two hosts, with these addresses at its ends; each reaches the other's.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn join(&mut self, [one, other]: [(&Site, IpAddr); 2]) {
        self.cables += 1;
        let interface = format!("cable{}", self.cables);
        let [near, far] = [one.0, other.0].map(|site| site.namespace.as_deref().expect("a host of the lab"));
        let mut command = Command::new("ip");
        command.args(["link", "add", &interface, "netns", near, "type", "veth", "peer", &interface, "netns", far]);
        succeed(&mut command);
        for ((site, own), (_, peer)) in [(one, other), (other, one)] {
            // an address of IPv6 would wait for objections of the neighbours (RFC 4862 §5.4)
            let kind = if own.is_ipv6() { "nodad" } else { "" };
            site.run(&format!("ip link set {interface} up; ip address add {own} peer {peer} dev {interface} {kind}"));
        }
    }

    /// Has a host hand on packets between its cables, and translate the addresses of those that go to `outside`, with a
    /// port of its own choice for each flow.
    ///
    /// # Panics
    /// When it cannot: it needs nft.
    pub fn translate(&self, router: &Site, outside: &Site) {
        router.run("echo 1 >/proc/sys/net/ipv4/ip_forward");
        let outside = outside.address;
        router.run(&format!(
            "nft 'table ip nat {{ chain out {{ type nat hook postrouting priority srcnat; \
             ip daddr {outside} masquerade fully-random; }}; }}'"
        ));
    }
}

impl Default for Lab {
    fn default() -> Lab {
        Lab::new()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.hosts.iter().for_each(|name| remove(name));
    }
}

/// Removes a host; its cables go with it.
fn remove(namespace: &str) {
    // an error says that it has gone already
    let _ = Command::new("ip").args(["netns", "delete", namespace]).output();
}
