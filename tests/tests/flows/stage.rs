//! The switch among its scripted peers, on a virtual clock; plays a flow and draws its ladder.

use crate::adapt::{Setting, adapt, printable};
use crate::check::{Leaving, Page, same_body, wrongs};
use crate::peer::{PASSWORD, Peer};
use crate::print::Prints;
use crate::script::{Begin, Flow, Kind, Mark, Said};
use crate::text::Text;
use crosspoint_core::event::Event;
use crosspoint_core::input::{Flow as Path, SocketId, Transport};
use crosspoint_core::ports::{PortCommand, PortReply};
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Command, Input, Seed, Switch};
use crosspoint_sim::ladder::Log;
use crosspoint_sim::phone::message::{Message, uri_of};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Where the switch listens: an address that no RFC's flow has.
const SWITCH: &str = "203.0.113.10:5060";
/// From one message to the next.
const PACE: Duration = Duration::from_millis(50);
/// After the last message: longer than any transaction.
const REST: Duration = Duration::from_secs(200);

/// A flow being played.
pub(crate) struct Stage<'f> {
    flow: &'f Flow<'f>,
    switch: Switch,
    now: Now,
    peers: Vec<Peer>,
    log: Log,
    page: Page,
    /// What the switch has sent since the last message to it: to whom, and what.
    heard: Vec<(usize, Message)>,
    cause: Option<(usize, Message)>,
    /// How the calls ended, by their records.
    ends: Vec<String>,
}

/// Plays a flow and gives its ladder.
pub(crate) fn play(flow: &Flow<'_>, prints: &Prints, title: &str) -> String {
    let mut stage = Stage::new(flow);
    stage.prelude();
    for step in flow.steps() {
        stage.pass(PACE);
        match &step.begin {
            Begin::Says(said) => stage.says(said, prints),
            Begin::Wait(time) => stage.pass(*time),
        }
        let heard = std::mem::take(&mut stage.heard);
        stage.compare(&step.line, &step.heard, &heard, prints);
    }
    stage.pass(REST);
    let late = std::mem::take(&mut stage.heard);
    stage.compare("at rest", &[], &late, prints);
    for (who, word) in flow.told {
        let heard = &stage.peers[stage.index(who)].received;
        let is_told = heard.iter().any(|message| String::from_utf8_lossy(&message.to_bytes()).contains(word));
        assert!(is_told, "{who} is not told {word:?}\n{heard:?}");
    }
    let ends = stage.ends.join(", ");
    assert!(flow.ends.is_empty() || flow.ends == ends, "{ends:?}, not {:?}\n{}", flow.ends, stage.log.text(title));
    assert!(stage.switch.calls(9).is_empty(), "calls are left after {title}\n{}", stage.log.text(title));
    stage.log.text(title)
}

impl<'f> Stage<'f> {
    fn new(flow: &'f Flow<'f>) -> Stage<'f> {
        let parsed = crosspoint_core::config::parse(&config(flow));
        let parsed = parsed.unwrap_or_else(|report| panic!("{}: {report:?}", flow.section));
        let now = Now { mono: Instant::from_micros(1000), wall: UnixMicros(1_767_322_984_000_000) };
        let mut actors: Vec<&str> = flow.people.iter().map(|person| person.name).collect();
        actors.insert(1.min(actors.len()), "switch");
        Stage {
            flow,
            switch: Switch::new(Arc::new(parsed.config), Seed::from_number(1), now),
            now,
            peers: flow.people.iter().map(Peer::new).collect(),
            log: Log::new(actors).without_times(),
            page: Page::read(),
            heard: Vec::new(),
            cause: None,
            ends: Vec::new(),
        }
    }

    /// Every phone is challenged, and registers the Contact it has in the flow, before the flow begins.
    fn prelude(&mut self) {
        for at in 0..self.peers.len() {
            let Kind::Phone(contact) = self.peers[at].kind else { continue };
            let contact = if contact.is_empty() { "" } else { &format!("Contact: <{contact}>\r\n") };
            let name = self.peers[at].user;
            let domain = self.flow.domain;
            for credentials in ["", "Authorization: ours\r\n"] {
                let text = format!(
                    "REGISTER sip:{domain} SIP/2.0\r\nFrom: <sip:{name}@{domain}>;tag=register\r\n\
                     To: <sip:{name}@{domain}>\r\n{contact}{credentials}\r\n"
                );
                self.send(at, Text::read(&text), Mark::Plain);
            }
            let answered: Vec<_> = self.heard.drain(..).map(|(_, answer)| answer.status()).collect();
            assert_eq!(answered, [Some(401), Some(200)], "{name} cannot register");
        }
        self.log.clear();
    }

    fn says(&mut self, said: &Said, prints: &Prints) {
        let at = self.index(&said.who);
        let mut text = match said.what.strip_prefix('=') {
            Some(made) => made_text(made),
            None => prints.message(self.flow.section, &said.what),
        };
        if let Some(number) = said.dialog {
            text.set("Call-ID", &self.peers[at].nth_dialog(number).call_id);
        }
        for line in &said.lines {
            text.add(&self.filled_in(at, line));
        }
        if let Some(body) = &said.body {
            let (kind, body) = self.body(body, prints);
            text.set("Content-Type", kind);
            text.body = body;
        }
        self.send(at, text, said.mark);
    }

    /// The type and text of a body that a script names.
    fn body(&self, reference: &str, prints: &Prints) -> (&'static str, String) {
        match reference.strip_prefix("sipfrag ") {
            None if reference == "sdp" => ("application/sdp", SDP.to_owned()),
            None => ("application/sdp", prints.sdp(reference).to_owned()),
            Some(line) if line.starts_with('#') => {
                let text = prints.message(self.flow.section, line).start + "\r\n";
                ("message/sipfrag;version=2.0", text)
            }
            Some(line) => ("message/sipfrag;version=2.0", format!("{line}\r\n")),
        }
    }

    /// A header line with the dialogs that `{replaces bob 2}` means, the reliable answer of `{rack}`, or the early dialog of
    /// `{early 1}`.
    fn filled_in(&self, speaker: usize, line: &str) -> String {
        if line.contains("{rack}") {
            return line.replace("{rack}", &self.peers[speaker].rack());
        }
        if let Some(number) = line.strip_prefix("To: {early ").and_then(|rest| rest.strip_suffix('}')) {
            return format!("To: {}", self.peers[speaker].nth_early(number.parse().expect("a number")));
        }
        let Some((before, rest)) = line.split_once("{replaces") else { return line.to_owned() };
        let (what, after) = rest.split_once('}').expect("`{replaces who number}`");
        let [escapes, who, number] = what.split(' ').collect::<Vec<_>>()[..] else {
            panic!("`{{replaces who number}}`")
        };
        let dialog = self.peers[self.index(who)].nth_dialog(number.parse().expect("a number"));
        let replaces = match escapes {
            "%" => dialog.replaces().replace(';', "%3B").replace('=', "%3D").replace('@', "%40"),
            _ => dialog.replaces(),
        };
        format!("{before}{replaces}{after}")
    }

    fn send(&mut self, at: usize, text: Text, mark: Mark) {
        let printed_call_id = text.value("Call-ID");
        let setting = Setting { domain: self.flow.domain, keeps_routes: self.flow.keeps_routes };
        let text = adapt(text, &mut self.peers[at], mark, setting);
        let bytes = text.bytes();
        let message = Message::parse(&bytes).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        let peer = &mut self.peers[at];
        peer.has_sent(&message, printed_call_id);
        self.log.message(self.now.mono.as_micros(), peer.name, "switch", &bytes, 1);
        let flow = Path { socket: SocketId(0), transport: Transport::Udp, remote: peer.address };
        self.cause = Some((at, message));
        self.input(Input::Datagram { flow, bytes: &bytes });
        self.cause = None;
    }

    /// Lets time pass, with a tick at every deadline.
    fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while let Some(deadline) = self.switch.poll_timeout().filter(|deadline| deadline.at <= end) {
            self.forward_to(deadline.at.max(self.now.mono));
            self.input(Input::Tick);
        }
        self.forward_to(end);
    }

    fn forward_to(&mut self, at: Instant) {
        let passed = at.since(self.now.mono);
        self.now = Now { mono: at, wall: self.now.wall.plus(passed) };
    }

    fn input(&mut self, input: Input<'_>) {
        self.switch.handle(self.now, input);
        let mut opened = Vec::new();
        while let Some(command) = self.switch.poll_command() {
            match command {
                Command::Send { flow, bytes } => self.take(flow.remote, &bytes),
                Command::Ports(PortCommand::Open { request, .. }) => opened.push(PortReply::Opened { request }),
                Command::Emit(event) => {
                    if let Event::CallEnded { record } = *event {
                        let (reason, by) = (record.end_reason.name(), record.end_direction.name());
                        self.ends.push(format!("{} {reason} by {by}", record.sip_status));
                    }
                }
                _ => {}
            }
        }
        opened.into_iter().for_each(|reply| self.input(Input::Ports(reply)));
    }

    /// The switch has sent something.
    fn take(&mut self, remote: SocketAddr, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let found = self.peers.iter().position(|peer| peer.address == remote);
        let at = found.unwrap_or_else(|| panic!("nobody is at {remote}, where this goes:\n{text}"));
        self.log.message(self.now.mono.as_micros(), "switch", self.peers[at].name, bytes, 1);
        let message = Message::parse(bytes).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        if self.peers[at].received.contains(&message) {
            return; // a resend
        }
        let others: Vec<&Peer> =
            self.peers.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, peer)| peer).collect();
        let leaving = Leaving {
            message: &message,
            to: &self.peers[at],
            others: &others,
            cause: self.cause.as_ref().map(|(by, message)| (message, *by == at)),
            switch: SWITCH.parse().expect("an address"),
            domain: self.flow.domain,
        };
        let mut wrong = wrongs(&self.page, &leaving);
        let told = self.flow.hidden.iter().filter(|(who, word)| *who == self.peers[at].name && text.contains(word));
        wrong.extend(told.map(|(_, word)| format!("{word:?} must not be told")));
        assert!(wrong.is_empty(), "{}, to {}: {wrong:#?}\n{text}", self.flow.section, self.peers[at].name);
        self.peers[at].has_received(message.clone());
        self.heard.push((at, message));
    }

    /// Compares what each has heard with what the flow's line says.
    fn compare(&self, line: &str, expected: &[Said], heard: &[(usize, Message)], prints: &Prints) {
        for (at, peer) in self.peers.iter().enumerate() {
            let expected: Vec<_> = expected.iter().filter(|said| said.who == peer.name).collect();
            let heard: Vec<_> = heard.iter().filter(|(to, _)| *to == at).map(|(_, message)| message).collect();
            let is_alike = expected.len() == heard.len()
                && expected.iter().zip(&heard).all(|(said, message)| self.is_what(said, message, prints));
            let names: Vec<String> = heard.iter().map(|message| name_of(message)).collect();
            assert!(
                is_alike,
                "{} `{line}`: {} hears {names:?} instead of {expected:?}\n{heard:?}\n{}",
                self.flow.section,
                peer.name,
                self.log.text("so far")
            );
        }
        for said in expected {
            self.index(&said.who);
        }
    }

    /// Whether what was heard is what the RFC prints: method, or status, and body; the Request-URI where a phone hears it,
    /// which is called by its Contact; the list of bindings.
    fn is_what(&self, said: &Said, heard: &Message, prints: &Prints) -> bool {
        if let Some(name) = said.what.strip_prefix('=') {
            if said.body.as_deref() == Some("relay") {
                return name == name_of(heard) && leads_to(&heard.body, SWITCH);
            }
            let (kind, body) = said.body.as_ref().map_or(("", String::new()), |body| self.body(body, prints));
            let is_kind = heard.get("Content-Type").unwrap_or_default() == kind;
            return name == name_of(heard) && is_kind && same_body(&body, &heard.body);
        }
        let mut printed = prints.message(self.flow.section, &said.what);
        printable(&mut printed);
        let is_alike = match printed.method() {
            Some(method) => {
                let is_phone = matches!(self.peers[self.index(&said.who)].kind, Kind::Phone(_));
                // the RFC's two ends may talk directly, and then call each other by name
                let is_name = printed.uri().ends_with(&format!("@{}", self.flow.domain));
                let is_there = heard.uri() == Some(printed.uri());
                let routes = printed.values("Route");
                let is_way = !self.flow.keeps_routes
                    || (is_there
                        && heard.list("Route") == routes.iter().flat_map(|r| r.split(',')).collect::<Vec<_>>());
                heard.method() == Some(method) && (!is_phone || is_name || is_there) && is_way
            }
            None => {
                let status = printed.start.split(' ').nth(1).and_then(|status| status.parse().ok());
                let cseq = heard.cseq().map(|(_, method)| method.to_owned());
                heard.status() == status && (printed.cseq_method().is_none() || printed.cseq_method() == cseq)
            }
        };
        let is_list = heard.status() == Some(200) && heard.cseq().is_some_and(|(_, method)| method == "REGISTER");
        let paths = |values: Vec<String>| values.concat().replace(' ', "");
        let heard_path = heard.all("Path").map(str::to_owned).collect();
        is_alike
            && (!is_list || paths(printed.values("Path")) == paths(heard_path))
            && (printed.body.is_empty() || media(&printed.body) == media(&heard.body))
            && (!is_list || bindings(printed.values("Contact")) == bindings(heard.all("Contact").map(str::to_owned)))
    }

    fn index(&self, name: &str) -> usize {
        let found = self.peers.iter().position(|peer| peer.name == name);
        found.unwrap_or_else(|| panic!("{name} takes no part in {}", self.flow.section))
    }
}

/// A session description that no RFC prints.
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// Whether a session description leads to the host of this address.
pub(crate) fn leads_to(body: &str, address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    body.contains(&format!("\r\nc=IN IP4 {host}\r\n"))
}

/// The SIP URIs of a list of bindings.
fn bindings(contacts: impl IntoIterator<Item = String>) -> Vec<String> {
    let uris = contacts.into_iter().map(|contact| uri_of(&contact).to_owned());
    let mut uris: Vec<String> = uris.filter(|uri| uri.starts_with("sip:")).collect();
    uris.sort();
    uris
}

/// A session description without addresses and ports: the RFC's gateways put theirs in. Port 0 stays (RFC 3264 §6).
fn media(body: &str) -> String {
    let line = |line: &str| match line.get(..2) {
        Some("o=" | "c=") => line[..2].to_owned(),
        Some("m=") => {
            let words = line.split(' ').enumerate();
            words.map(|(i, word)| if i == 1 && word != "0" { "port" } else { word }).collect::<Vec<_>>().join(" ")
        }
        _ => line.to_owned(),
    };
    body.lines().map(|text| line(text) + "\n").collect()
}

/// `200 BYE`, `INVITE`.
fn name_of(message: &Message) -> String {
    let method = message.cseq().map_or("?", |(_, method)| method);
    match message.status() {
        Some(status) => format!("{status} {method}"),
        None => message.method().unwrap_or("?").to_owned(),
    }
}

/// A message that no RFC prints, from its first line: `486 Busy Here`, `BYE`, `200 OK to BYE`, `INVITE sip:bob@here`.
fn made_text(made: &str) -> Text {
    let (first, to) = made.split_once(" to ").unwrap_or((made, ""));
    let is_response = first.starts_with(|c: char| c.is_ascii_digit());
    let start = match (is_response, first.contains(' ')) {
        (true, _) => format!("SIP/2.0 {first}"),
        // `-`: inside the dialog
        (false, false) => format!("{first} - SIP/2.0"),
        (false, true) => format!("{first} SIP/2.0"),
    };
    let cseq = if to.is_empty() { String::new() } else { format!("\r\nCSeq: 0 {to}") };
    Text::read(&format!("{start}{cseq}\r\n"))
}

/// The configuration of the flow's switch.
fn config(flow: &Flow<'_>) -> String {
    let mode = if flow.phones.is_empty() { "Off" } else { "Auto" };
    let mut text = format!(
        "[switch]\ndomain = \"{}\"\n[parameters]\nSS_MEDIAPROXYMODE = \"{mode}\"\nSS_SIP_AUTHENTICATION_CODE = \"Proxy Authentication Required(407)\"\n\
         [[listen]]\ntransport = \"udp\"\nbind = \"{SWITCH}\"\n",
        flow.domain
    );
    for (at, person) in flow.people.iter().enumerate() {
        let name = person.user;
        if flow.people[..at].iter().any(|other| other.user == name) {
            continue;
        }
        text.push_str(&match person.kind {
            Kind::Phone(_) => {
                format!("[[phone]]\nuser = \"{name}\"\npassword = \"{PASSWORD}\"\n{}\n", flow.phones)
            }
            Kind::Gateway(prefixes) => {
                let address = person.address;
                let direction = if prefixes.is_empty() { "mapping" } else { "both" };
                format!(
                    "[[gateway]]\nname = \"{name}\"\ndirection = \"{direction}\"\npeers = [\"{address}\"]\n\
                     prefixes = {prefixes:?}\n"
                )
            }
        });
    }
    text + flow.tables
}
