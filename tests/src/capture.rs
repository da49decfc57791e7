//! What went over loopback, or the cables of another site, as tshark saw and dissected it.
//!
//! One tshark runs beside the peers, writes a capture file for whoever looks into a failure, and prints a row for each
//! packet. [`Capture::cut`] returns the packets since the last cut.

use crate::process::{Process, until};
use crate::site::Site;
use std::net::UdpSocket;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What tshark prints of a packet, in the order of [`Packet::read`].
const FIELDS: [&str; 15] = [
    "frame.time_epoch",
    "ip.dsfield.dscp",
    "ipv6.tclass.dscp",
    "udp.srcport",
    "udp.dstport",
    "udp.length",
    "rtp.seq",
    "sip.Method",
    "sip.Status-Code",
    "sip.CSeq.method",
    "sip.resend",
    "sdp.media_attr",
    "sdp.connection_info",
    "sipfrag.line",
    "sip.msg_hdr",
];

/// RFC 768.
const UDP_HEADER_BYTES: usize = 8;

/// A running capture.
pub struct Capture {
    process: Process,
    rows: PathBuf,
    /// How many bytes of the rows belong to earlier cuts.
    taken: usize,
    site: Site,
    /// Reserves the port that marks go to.
    marker: UdpSocket,
    marks: usize,
}

/// A UDP packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Seconds since 1970.
    pub at_s: f64,
    /// Source port.
    pub from: u16,
    /// Destination port.
    pub to: u16,
    /// The six bits of its differentiated services code point (RFC 2474 §3), of IPv4 or IPv6.
    pub dscp: u8,
    /// What it carries.
    pub content: Content,
}

/// What a packet carries.
#[derive(Clone, Debug)]
pub enum Content {
    /// Speech.
    Rtp,
    /// Signalling.
    Sip(Box<Sip>),
    /// RTCP, STUN, keep-alives.
    Other,
}

/// A SIP message.
#[derive(Clone, Debug)]
pub struct Sip {
    /// The method of a request, the status of a response.
    pub start: String,
    /// The method in CSeq.
    pub cseq_method: String,
    /// Whether tshark has seen it before.
    pub is_resent: bool,
    /// `sendonly`, `recvonly`, `inactive`, where its session description says so.
    pub direction: Option<String>,
    /// What the first `c=` line of its session description says, such as `IN IP4 127.0.0.1`; empty without one.
    pub connection: String,
    /// The status line that a NOTIFY of REFER carries.
    pub fragment: String,
    headers: String,
}

impl Sip {
    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    fn is_in_call(&self) -> bool {
        self.cseq_method != "REGISTER" && self.start != "100"
    }

    /// How many lines have this header.
    pub fn count(&self, name: &str) -> usize {
        self.values(name).count()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self.headers.split("\\r\\n").filter_map(|line| line.split_once(':'));
        lines.filter(move |(own, _)| own.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

impl Packet {
    /// Of a row, once it is complete.
    fn read(row: &str) -> Packet {
        let mut fields = row.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        let at_s = next().parse().unwrap_or_default();
        let dscp = format!("{}{}", next(), next()).parse().unwrap_or_default();
        let (from, to) = (next().parse().unwrap_or_default(), next().parse().unwrap_or_default());
        // the length is for the marker
        next();
        let is_rtp = !next().is_empty();
        let (method, status) = (next().to_owned(), next().to_owned());
        let (cseq_method, is_resent, attributes) = (next().to_owned(), next() == "1", next());
        let mut attributes = attributes.split(',');
        let direction = attributes.find(|one| ["sendonly", "recvonly", "inactive"].contains(one)).map(str::to_owned);
        let start = if method.is_empty() { status } else { method };
        let connection = next().split(',').next().unwrap_or_default().to_owned();
        let (fragment, headers) = (next().to_owned(), next().to_owned());
        let sip = Sip { start, cseq_method, is_resent, direction, connection, fragment, headers };
        let content = match (is_rtp, sip.start.is_empty()) {
            (true, _) => Content::Rtp,
            (false, false) => Content::Sip(Box::new(sip)),
            (false, true) => Content::Other,
        };
        Packet { at_s, from, to, dscp, content }
    }
}

/// Packets in the order they went over the wire.
#[derive(Clone, Debug, Default)]
pub struct Trace(pub Vec<Packet>);

impl Trace {
    /// The SIP messages.
    pub fn messages(&self) -> impl Iterator<Item = (&Packet, &Sip)> {
        self.0.iter().filter_map(|packet| match &packet.content {
            Content::Sip(sip) => Some((packet, &**sip)),
            Content::Rtp | Content::Other => None,
        })
    }

    /// What the phone on this port sent and received in calls, as one line: `INVITE> <180 <200(recvonly) ACK>`, where `>`
    /// is sent and `<` received by the phone. `100` is left out: who sends it depends on who is slow.
    pub fn ladder(&self, port: u16) -> String {
        self.line(port, |sip| sip.is_in_call())
    }

    /// The same for each dialog, in the order they began.
    pub fn dialogs(&self, port: u16) -> Vec<String> {
        let mut names: Vec<&str> = Vec::new();
        let own =
            self.messages().filter(|(packet, sip)| (packet.from == port || packet.to == port) && sip.is_in_call());
        for name in own.filter_map(|(_, sip)| sip.header("Call-ID")) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let line = |name: &str| self.line(port, |sip| sip.is_in_call() && sip.header("Call-ID") == Some(name));
        names.into_iter().map(line).collect()
    }

    /// Its registrations, in the same form.
    pub fn registration(&self, port: u16) -> String {
        self.line(port, |sip| sip.cseq_method == "REGISTER")
    }

    fn line(&self, port: u16, is_wanted: impl Fn(&Sip) -> bool) -> String {
        let mut steps = Vec::new();
        for (packet, sip) in self.messages().filter(|(_, sip)| is_wanted(sip)) {
            let direction = sip.direction.as_ref().map(|direction| format!("({direction})")).unwrap_or_default();
            let step = format!("{}{direction}", sip.start);
            if packet.from == port {
                steps.push(format!("{step}>"));
            } else if packet.to == port {
                steps.push(format!("<{step}"));
            }
        }
        steps.join(" ")
    }

    /// The RTP packets from one of these ports to one of those.
    pub fn speech(&self, from: &RangeInclusive<u16>, to: &RangeInclusive<u16>) -> usize {
        let between = |packet: &&Packet| from.contains(&packet.from) && to.contains(&packet.to);
        self.0.iter().filter(between).filter(|packet| matches!(packet.content, Content::Rtp)).count()
    }
}

impl Capture {
    /// Captures what goes to or from these UDP ports.
    ///
    /// # Panics
    /// When tshark does not capture after ten seconds: it needs root, or the capability CAP_NET_RAW.
    pub fn start(folder: &Path, ports: &[RangeInclusive<u16>]) -> Capture {
        Capture::start_at(&Site::LOOPBACK, folder, ports)
    }

    /// The same of all that a host sends and receives.
    ///
    /// # Panics
    /// As that one.
    pub fn start_at(site: &Site, folder: &Path, ports: &[RangeInclusive<u16>]) -> Capture {
        let marker = UdpSocket::bind("127.0.0.1:0").expect("the system has a free port");
        let own = marker.local_addr().expect("a bound socket has an address").port();
        let ports = ports.iter().map(|range| format!(" or udp portrange {}-{}", range.start(), range.end()));
        let filter = format!("udp port {own}{}", ports.collect::<String>());
        let (rows, errors) = (folder.join("packets.txt"), folder.join("tshark.log"));
        let mut command = site.command("sh");
        // tshark says on standard error that it captures; that and the rows must not mix
        command.args(["-c", r#"exec tshark "$@" 2>"$0""#]).arg(&errors);
        command.args([
            "-l",
            "-n",
            "-i",
            site.interface(),
            "-B",
            "16",
            "-f",
            &filter,
            "--enable-heuristic",
            "rtp_udp",
            "-P",
            "-w",
        ]);
        command.arg(folder.join("packets.pcapng")).args(["-T", "fields", "-E", "separator=/t"]);
        command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
        let process = Process::start(&mut command, &rows);
        let mut capture = Capture { process, rows, taken: 0, site: site.clone(), marker, marks: 0 };
        let said = || std::fs::read_to_string(&errors).unwrap_or_default();
        let begun = until(Duration::from_secs(10), || said().contains("Capturing on").then_some(()));
        assert!(begun.is_some(), "no capture:\n{}", said());
        // it says so a moment before it is true
        let seen = until(Duration::from_secs(10), || {
            let mark = capture.mark();
            until(Duration::from_secs(1), || capture.rows_since_cut().contains(&mark).then_some(()))
        });
        assert!(seen.is_some(), "nothing is captured:\n{}", said());
        capture.cut();
        capture
    }

    /// Everything since the last cut, once all that was sent before this call has been seen.
    ///
    /// # Panics
    /// When tshark falls behind by more than ten seconds.
    pub fn cut(&mut self) -> Trace {
        let mark = self.mark();
        let end = until(Duration::from_secs(10), || {
            let rows = self.rows_since_cut();
            let at = rows.find(&mark)?;
            rows[at..].find('\n').map(|length| at + length + 1)
        });
        let end = end.unwrap_or_else(|| panic!("tshark fell behind: {}", self.process.output()));
        let trace = self.read(end);
        self.taken += end;
        trace
    }

    /// What has been seen since the last cut.
    pub fn so_far(&self) -> Trace {
        self.read(self.rows_since_cut().rfind('\n').map_or(0, |at| at + 1))
    }

    /// Waits until what went over the wire since the last cut is as wanted; returns whether it became so.
    pub fn wait_for(&self, most: Duration, wanted: impl Fn(&Trace) -> bool) -> bool {
        until(most, || wanted(&self.so_far()).then_some(())).is_some()
    }

    fn rows_since_cut(&self) -> String {
        let all = std::fs::read(&self.rows).unwrap_or_default();
        String::from_utf8_lossy(all.get(self.taken..).unwrap_or_default()).into_owned()
    }

    fn read(&self, end: usize) -> Trace {
        let own = self.own_port();
        let rows = self.rows_since_cut();
        let packets = rows[..end].lines().map(Packet::read);
        Trace(packets.filter(|packet| packet.to != own).collect())
    }

    /// Sends a datagram to the marker and returns what its row has: no other is as long.
    fn mark(&mut self) -> String {
        let own = self.own_port();
        self.marks += 1;
        self.site.run(&format!("bash -c \"printf '%{}s' >/dev/udp/127.0.0.1/{own}\"", self.marks));
        format!("\t{own}\t{}\t", UDP_HEADER_BYTES + self.marks)
    }

    fn own_port(&self) -> u16 {
        self.marker.local_addr().expect("a bound socket has an address").port()
    }
}
