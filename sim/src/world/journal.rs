//! What the host keeps of a switch on its disk, and what a restart makes of it.
//!
//! A turn appends what it changed before its datagrams leave, so a killed process loses nothing; what was appended since
//! the disk was last forced is lost with the power. The registrations of the journal go back into the switch, and every
//! answered call that is not over gets a record: interrupted, ended at the last moment that the journal tells of.

use crosspoint_core::binding::BindingRecord;
use crosspoint_core::cdr::{CallRecord, EndDirection, EndReason, billed_seconds};
use crosspoint_core::config::Config;
use crosspoint_core::event::Event;
use crosspoint_core::input::Control;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What is older than this is on the disk for certain: no crash asks for a longer window.
const LONGEST_LOSS: Duration = Duration::from_secs(60);

/// An entry, whole or lost.
#[derive(Clone, Debug)]
enum Entry {
    Binding(Box<BindingRecord>),
    Answered(Box<CallRecord>),
    Ended {
        flow_no: u64,
        end_ms: u64,
    },
    /// A segment of calls begins: those before it become record files.
    Segment(UnixMicros),
}

/// What the entries come to.
#[derive(Clone, Debug, Default)]
struct Contents {
    /// Each binding as it last was.
    bindings: BTreeMap<Name, BindingRecord>,
    /// Answered calls that are not over.
    open: BTreeMap<u64, CallRecord>,
    /// The last moment that the segments of calls tell of.
    last_known_ms: u64,
}

/// Address-of-record, contact, instance and reg-id name a binding.
type Name = (String, String, String, u32);

/// What a restart finds.
#[derive(Debug)]
pub(super) struct Recovered {
    /// What the switch is given first.
    pub(super) restores: Vec<Control>,
    /// The records that the host writes by itself.
    pub(super) interrupted: Vec<CallRecord>,
}

/// The journals of one state directory.
#[derive(Debug)]
pub(super) struct Journal {
    on_disk: Contents,
    /// What a power failure may take, with the moments at which it was appended.
    recent: VecDeque<(Instant, Entry)>,
    /// What is known of calls not yet answered. It dies with the process.
    starting: BTreeMap<u64, Box<CallRecord>>,
    /// Answered calls of this process that are not over.
    answered: usize,
    segment_since: Instant,
    segment_begun: UnixMicros,
}

impl Journal {
    /// Empty journals, of a process that begins.
    pub(super) fn new(now: Instant, wall: UnixMicros) -> Journal {
        let mut journal = Journal {
            on_disk: Contents::default(),
            recent: VecDeque::new(),
            starting: BTreeMap::new(),
            answered: 0,
            segment_since: now,
            segment_begun: wall,
        };
        journal.begin_segment(now, wall);
        journal
    }

    /// Takes what an event says.
    pub(super) fn take(&mut self, now: Instant, wall: UnixMicros, event: &Event) {
        match event {
            Event::BindingChanged { binding, .. } => self.append(now, Entry::Binding(Box::new(binding.clone()))),
            Event::CallStarted { call, caller, callee, source } => {
                let record = interim(*call, caller, callee, source.ip(), wall);
                self.starting.insert(*call, Box::new(record));
            }
            Event::MediaDecided { call, rule, result, .. } => {
                if let Some(record) = self.starting.get_mut(call) {
                    record.media = (*result).to_owned();
                    record.media_rule = (*rule).to_owned();
                }
            }
            Event::CallAnswered { call } => {
                if let Some(mut record) = self.starting.remove(call) {
                    (record.answer_ms, record.sip_status) = (Some(wall.as_millis()), 200);
                    self.answered += 1;
                    self.append(now, Entry::Answered(record));
                }
            }
            Event::CallEnded { record } => {
                if self.starting.remove(&record.flow_no).is_none() {
                    self.answered = self.answered.saturating_sub(1);
                }
                self.append(now, Entry::Ended { flow_no: record.flow_no, end_ms: record.end_ms });
            }
            _ => {}
        }
    }

    /// Ends a turn: begins another segment where the interval is over and there is something to close.
    pub(super) fn commit(&mut self, now: Instant, wall: UnixMicros, config: &Config) {
        if self.next_file(config).is_some_and(|at| at <= now) {
            // the stamp names the record file: later than the last one by a second at least
            let begun = UnixMicros(wall.0.max(self.segment_begun.0 + 1_000_000));
            self.begin_segment(now, begun);
        }
        while let Some((_, entry)) = self.recent.pop_front_if(|(at, _)| now.since(*at) > LONGEST_LOSS) {
            self.on_disk.apply(entry);
        }
    }

    /// When [`Journal::commit`] has another segment to begin: the host wakes for it, however quiet the calls are. Without
    /// calls up a segment tells nobody anything, and none is begun here.
    pub(super) fn next_file(&self, config: &Config) -> Option<Instant> {
        (self.answered > 0).then(|| self.segment_since + config.parameters.cdr_file_interval())
    }

    /// The process is gone, and with it what was appended less than `lost` ago: what the next one finds.
    pub(super) fn restart(&mut self, now: Instant, clock: Now, lost: Duration, config: &Config) -> Recovered {
        for (at, entry) in std::mem::take(&mut self.recent) {
            if now.since(at) >= lost {
                self.on_disk.apply(entry);
            }
        }
        self.starting.clear();
        self.answered = 0;
        let bindings = &mut self.on_disk.bindings;
        bindings.retain(|_, binding| binding.expires_at > clock.wall);
        let restores = bindings.values().map(|binding| Control::Restore(Box::new(binding.clone()))).collect();
        let precision_ms = config.parameters.hold_time_precision_ms();
        let last_known_ms = self.on_disk.last_known_ms;
        let open = std::mem::take(&mut self.on_disk.open).into_values();
        let interrupted = open.map(|record| interrupt(record, last_known_ms, precision_ms)).collect();
        self.begin_segment(now, UnixMicros(clock.wall.0.max(self.segment_begun.0 + 1_000_000)));
        Recovered { restores, interrupted }
    }

    fn begin_segment(&mut self, now: Instant, begun: UnixMicros) {
        (self.segment_since, self.segment_begun) = (now, begun);
        self.append(now, Entry::Segment(begun));
    }

    fn append(&mut self, now: Instant, entry: Entry) {
        self.recent.push_back((now, entry));
    }
}

impl Contents {
    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Binding(binding) => {
                let name = (binding.aor.clone(), binding.contact.clone(), binding.instance.clone(), binding.reg_id);
                if binding.expires_at == BindingRecord::ENDED {
                    self.bindings.remove(&name);
                } else {
                    self.bindings.insert(name, *binding);
                }
            }
            Entry::Answered(record) => {
                self.last_known_ms = self.last_known_ms.max(record.answer_ms.unwrap_or(record.invite_ms));
                self.open.insert(record.flow_no, *record);
            }
            Entry::Ended { flow_no, end_ms } => {
                self.last_known_ms = self.last_known_ms.max(end_ms);
                self.open.remove(&flow_no);
            }
            Entry::Segment(begun) => self.last_known_ms = begun.as_millis(),
        }
    }
}

/// The record of a call that was up when the process died.
fn interrupt(mut record: CallRecord, last_known_ms: u64, precision_ms: u64) -> CallRecord {
    let answered_ms = record.answer_ms.unwrap_or(record.invite_ms);
    record.end_ms = last_known_ms.max(answered_ms);
    record.hold_time_ms = record.end_ms - answered_ms;
    record.hold_time_s = billed_seconds(record.hold_time_ms, precision_ms);
    record
}

/// The record of a call that has just begun, as it would stand if the process were killed.
fn interim(flow_no: u64, caller: &str, callee: &str, source: std::net::IpAddr, now: UnixMicros) -> CallRecord {
    CallRecord {
        flow_no,
        caller: caller.to_owned(),
        callee: callee.to_owned(),
        caller_in: caller.to_owned(),
        callee_out: callee.to_owned(),
        caller_ip: source,
        callee_ip: None,
        caller_gateway: String::new(),
        callee_gateway: String::new(),
        invite_ms: now.as_millis(),
        ring_ms: None,
        answer_ms: None,
        end_ms: now.as_millis(),
        hold_time_s: 0,
        hold_time_ms: 0,
        end_direction: EndDirection::Server,
        end_reason: EndReason::Interrupted,
        sip_status: 0,
        media: String::new(),
        media_rule: String::new(),
        call_id_in: String::new(),
        call_id_out: String::new(),
        caller_codec: String::new(),
        callee_codec: String::new(),
        rtp_caller_packets: None,
        rtp_callee_packets: None,
        route: String::new(),
    }
}
