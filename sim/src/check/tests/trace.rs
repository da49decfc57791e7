//! A call through the switch as a list of datagrams, and what the checks say of it with one thing changed.

use crate::check::{Checks, Held, Violation};
use crosspoint_core::cdr::{CallRecord, EndDirection, EndReason};
use crosspoint_core::event::Event;
use crosspoint_core::time::{Instant, UnixMicros};
use std::net::SocketAddr;
use std::time::Duration;

pub(super) const SWITCH: &str = "10.0.0.1:5060";
pub(super) const ALICE: &str = "10.0.1.1:5060";
pub(super) const BOB: &str = "10.0.1.2:5060";
/// The wall clock at the epoch, in milliseconds.
const WALL_MS: u64 = 1_800_000_000_000;

/// What passes at one moment.
#[derive(Clone, Debug)]
pub(super) enum Passes {
    To(&'static str, String),
    From(&'static str, String),
    Tells(Event),
    Crashes(u64),
}

/// A trace: what passes, and when, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(pub(super) Vec<(u64, Passes)>);

/// A message from its first line and header lines, with a Content-Length of its own.
pub(super) fn message(first: &str, lines: &[&str], body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{first}\r\n{}\r\n{kind}Content-Length: {}\r\n\r\n{body}", lines.join("\r\n"), body.len())
}

/// A request of a leg: `c1` of the caller's, `c2` of the callee's; `local` sends it.
pub(super) fn request(method: &str, leg: u8, branch: &str, cseq: u32, tags: [&str; 2]) -> String {
    let ours = (leg == 2) == (tags[0] == "s2") && tags[0] != "b";
    let sent_by = match (ours && leg == 2 || tags[0] == "s1", leg) {
        (true, _) => SWITCH,
        (false, 1) => ALICE,
        (false, _) => BOB,
    };
    let to_tag = if tags[1].is_empty() { String::new() } else { format!(";tag={}", tags[1]) };
    let hops = if sent_by == SWITCH && method == "INVITE" && tags[1].is_empty() { 69 } else { 70 };
    message(
        &format!("{method} sip:x@example.net SIP/2.0"),
        &[
            &format!("Via: SIP/2.0/UDP {sent_by};branch=z9hG4bK{branch};rport"),
            &format!("Max-Forwards: {hops}"),
            &format!("From: <sip:a@example.net>;tag={}", tags[0]),
            &format!("To: <sip:b@example.net>{to_tag}"),
            &format!("Call-ID: c{leg}"),
            &format!("CSeq: {cseq} {method}"),
            &format!("Contact: <sip:x@{sent_by}>"),
        ],
        "",
    )
}

/// The answer to a request that was made so; `tag` goes into To where it has none.
pub(super) fn answer(status: u16, request: &str, tag: &str) -> String {
    let lines = request.split("\r\n").filter_map(|line| match line.split(':').next() {
        Some("Via" | "From" | "Call-ID" | "CSeq" | "Contact") => Some(line.to_owned()),
        Some("To") if line.contains("tag=") || status == 100 => Some(line.to_owned()),
        Some("To") => Some(format!("{line};tag={tag}")),
        _ => None,
    });
    let lines: Vec<String> = lines.collect();
    message(&format!("SIP/2.0 {status} X"), &lines.iter().map(String::as_str).collect::<Vec<_>>(), "")
}

/// The record that a call of [`Trace::call`] has.
pub(super) fn record() -> CallRecord {
    CallRecord {
        flow_no: 1,
        caller: "a".into(),
        callee: "b".into(),
        caller_in: "a".into(),
        callee_out: "b".into(),
        caller_ip: "10.0.1.1".parse().expect("an address"),
        callee_ip: "10.0.1.2".parse().ok(),
        caller_gateway: String::new(),
        callee_gateway: String::new(),
        invite_ms: WALL_MS,
        ring_ms: None,
        answer_ms: Some(WALL_MS + 300),
        end_ms: WALL_MS + 5400,
        hold_time_s: 6,
        hold_time_ms: 5100,
        end_direction: EndDirection::Caller,
        end_reason: EndReason::Normal,
        sip_status: 200,
        media: "direct".into(),
        media_rule: "M0".into(),
        call_id_in: "c1".into(),
        call_id_out: "c2".into(),
        caller_codec: String::new(),
        callee_codec: String::new(),
        rtp_caller_packets: None,
        rtp_callee_packets: None,
        route: String::new(),
    }
}

pub(super) fn started(call: u64) -> Event {
    let source = ALICE.parse().expect("an address");
    Event::CallStarted { call, caller: "a".into(), callee: "b".into(), source }
}

impl Trace {
    /// A call: it rings, is answered after 300 ms, and the caller hangs up at 5.4 s.
    pub(super) fn call() -> Trace {
        let invite_in = request("INVITE", 1, "a1", 1, ["a", ""]);
        let invite_out = request("INVITE", 2, "s1", 1, ["s2", ""]);
        let bye_in = request("BYE", 1, "a3", 2, ["a", "s1"]);
        let bye_out = request("BYE", 2, "s3", 2, ["s2", "b"]);
        Trace(vec![
            (0, Passes::To(ALICE, invite_in.clone())),
            (0, Passes::From(ALICE, answer(100, &invite_in, ""))),
            (0, Passes::Tells(started(1))),
            (0, Passes::From(BOB, invite_out.clone())),
            (100, Passes::To(BOB, answer(180, &invite_out, "b"))),
            (100, Passes::From(ALICE, answer(180, &invite_in, "s1"))),
            (300, Passes::To(BOB, answer(200, &invite_out, "b"))),
            (300, Passes::From(ALICE, answer(200, &invite_in, "s1"))),
            (300, Passes::Tells(Event::CallAnswered { call: 1 })),
            (310, Passes::To(ALICE, request("ACK", 1, "a2", 1, ["a", "s1"]))),
            (310, Passes::From(BOB, request("ACK", 2, "s2", 1, ["s2", "b"]))),
            (5400, Passes::To(ALICE, bye_in.clone())),
            (5400, Passes::From(ALICE, answer(200, &bye_in, "s1"))),
            (5400, Passes::From(BOB, bye_out.clone())),
            (5400, Passes::Tells(Event::CallEnded { record: Box::new(record()) })),
            (5410, Passes::To(BOB, answer(200, &bye_out, "b"))),
        ])
    }

    /// What begins with one of these and goes that way, for each in turn as `change` has it; none: it is left out.
    pub(super) fn changed(
        mut self,
        begins: &str,
        from_switch: bool,
        change: impl Fn(String) -> Option<String>,
    ) -> Trace {
        let mut found = false;
        self.0.retain_mut(|(_, passes)| {
            let text = match passes {
                Passes::From(_, text) if from_switch => text,
                Passes::To(_, text) if !from_switch => text,
                _ => return true,
            };
            if !text.starts_with(begins) {
                return true;
            }
            found = true;
            match change(text.clone()) {
                Some(changed) => *text = changed,
                None => return false,
            }
            true
        });
        assert!(found, "nothing begins with {begins}");
        self
    }

    /// Replaces text in what leaves and begins so.
    pub(super) fn replaced(self, begins: &str, what: &str, with: &str) -> Trace {
        self.changed(begins, true, |text| {
            assert!(text.contains(what), "{what} is not in {text}");
            Some(text.replace(what, with))
        })
    }

    /// One more thing passes.
    pub(super) fn and(mut self, at_ms: u64, passes: Passes) -> Trace {
        let place = self.0.iter().rposition(|(at, _)| *at <= at_ms).map_or(0, |last| last + 1);
        self.0.insert(place, (at_ms, passes));
        self
    }

    /// With another record.
    pub(super) fn recorded(mut self, change: impl Fn(&mut CallRecord)) -> Trace {
        for (_, passes) in &mut self.0 {
            if let Passes::Tells(Event::CallEnded { record }) = passes {
                change(record);
            }
        }
        self
    }

    /// What the checks have after it has passed.
    pub(super) fn checks(self) -> Checks {
        let mut checks = Checks::new(SWITCH.parse().expect("an address"));
        checks.wall_clock(Instant::EPOCH, UnixMicros(WALL_MS * 1000));
        for (at_ms, passes) in self.0 {
            let now = Instant::EPOCH + Duration::from_millis(at_ms);
            let address = |text: &str| -> SocketAddr { text.parse().expect("an address") };
            match passes {
                Passes::To(peer, text) => checks.to_switch(now, address(peer), text.as_bytes()),
                Passes::From(peer, text) => checks.from_switch(now, address(peer), text.as_bytes()),
                Passes::Tells(event) => checks.event(now, &event),
                Passes::Crashes(lost_ms) => checks.crashed(now, Duration::from_millis(lost_ms)),
            }
        }
        checks
    }

    /// The violations, two minutes later.
    pub(super) fn violations(self) -> Vec<Violation> {
        let mut checks = self.checks();
        let end = Instant::EPOCH + Duration::from_secs(120);
        checks.holds(end, &Held::default());
        checks.finish(end, &mut std::iter::empty(), &Held::default())
    }

    /// That nothing is wrong with it.
    #[track_caller]
    pub(super) fn passes(self) {
        assert_eq!(self.violations(), []);
    }

    /// That this check, whatever others say, finds something wrong with it.
    #[track_caller]
    pub(super) fn violates(self, check: &str) {
        let violations = self.violations();
        assert!(violations.iter().any(|violation| violation.check == check), "{check} is not among {violations:#?}");
    }
}
