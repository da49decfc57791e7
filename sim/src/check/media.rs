//! Media: nobody hears what the other side of his call did not say, and what the relay counts is what came.

use super::{Found, Violation};
use crate::phone::rtp::{self, Heard};
use crate::phone::{Phone, Whose};
use crosspoint_core::cdr::CallRecord;
use crosspoint_core::media::{
    LegPlan, LegSocket, LegStats, MediaDrop, MediaOp, MediaReport, Move, Party, Reason, Relay, SessionId,
};
use crosspoint_core::ports::Shard;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Records that wait for the end, at most.
const KEPT: usize = 4096;

/// The sources that strangers use: no phone has one with this bit.
pub(crate) const STRANGE: u32 = 1 << 31;

/// A session as the ops made it.
#[derive(Debug, Default)]
struct Session {
    /// Packets of RTP that were taken as each party's.
    taken: [u64; 2],
    /// Whether each party has been heard since its description came last: its window opened then.
    has_spoken: [bool; 2],
    is_removed: bool,
}

/// What a record says of media.
#[derive(Debug)]
struct Counted {
    flow_no: u64,
    legs: [(String, Option<u64>); 2],
}

/// What passed at the switch's media ports.
#[derive(Debug, Default)]
pub(super) struct Media {
    sessions: BTreeMap<(Shard, SessionId), Session>,
    /// Whose a socket is.
    places: BTreeMap<(Shard, LegSocket), (SessionId, Party)>,
    /// The sources of what the switch itself plays.
    played: BTreeSet<u32>,
    /// Packets of RTP that were taken, by the first source of their call.
    taken: BTreeMap<u32, u64>,
    /// A stranger was believed, as he may be.
    is_stolen: bool,
    records: VecDeque<Counted>,
}

impl Media {
    /// A shard has carried an op out. One that came too late, or is refused, changes nothing here that a later one would
    /// not put right.
    pub(super) fn op(&mut self, shard: Shard, op: &MediaOp) {
        match op {
            MediaOp::Install { session, legs, .. } => {
                self.sessions.entry((shard, *session)).or_default();
                for (party, leg) in Party::BOTH.into_iter().zip(legs.iter()) {
                    self.place(shard, *session, party, leg);
                }
            }
            MediaOp::Station { session, leg, .. } => {
                self.sessions.entry((shard, *session)).or_default();
                self.place(shard, *session, Party::Caller, leg);
            }
            MediaOp::Update { session, party, leg, .. } => {
                self.place(shard, *session, *party, leg);
                if let Some(session) = self.sessions.get_mut(&(shard, *session)) {
                    session.has_spoken[*party as usize] = false;
                }
            }
            MediaOp::Remove { session, .. } => {
                self.places.retain(|(of, _), (one, _)| (*of, *one) != (shard, *session));
                if let Some(session) = self.sessions.get_mut(&(shard, *session)) {
                    session.is_removed = true;
                }
            }
            MediaOp::Play { .. } | MediaOp::Read { .. } => {}
        }
    }

    /// The sockets of a leg are these, and no others.
    fn place(&mut self, shard: Shard, session: SessionId, party: Party, leg: &LegPlan) {
        self.places.retain(|(of, _), whose| *of != shard || *whose != (session, party));
        self.places.extend(leg.sockets().map(|(socket, _)| ((shard, socket), (session, party))));
    }

    /// A packet came to a socket, and this became of it.
    pub(super) fn came(&mut self, shard: Shard, at: LegSocket, datagram: &[u8], relay: Relay) {
        let Heard::Audio(source) = rtp::heard(datagram) else { return };
        let refusals = [MediaDrop::NoSession, MediaDrop::NotRtp, MediaDrop::Untrusted, MediaDrop::Spoofed];
        if refusals.map(Relay::Drop).contains(&relay) {
            return;
        }
        *self.taken.entry(rtp::base(source)).or_default() += 1;
        let Some((session, party)) = self.places.get(&(shard, at)) else { return };
        if let Some(session) = self.sessions.get_mut(&(shard, *session)) {
            session.taken[*party as usize] += 1;
            session.has_spoken[*party as usize] |= source & STRANGE == 0;
        }
    }

    /// The switch itself sends this.
    pub(super) fn plays(&mut self, datagram: &[u8]) {
        if let Heard::Audio(source) = rtp::heard(datagram) {
            self.played.insert(source);
        }
    }

    /// A shard tells something.
    pub(super) fn report(&mut self, shard: Shard, report: &MediaReport, found: &mut Found) {
        match report {
            MediaReport::Stats { session, legs } => self.compare_report(shard, *session, legs, found),
            MediaReport::Latched { session, party, moved, .. } => self.latched(shard, *session, *party, moved, found),
            _ => {}
        }
    }

    /// Behind a translator anybody is believed for a while, as long as nobody better has spoken.
    fn latched(&mut self, shard: Shard, session: SessionId, party: Party, moved: &Move, found: &mut Found) {
        let source = moved.rtp.map(|(source, _)| source);
        if source.is_none_or(|source| source & STRANGE == 0 || self.played.contains(&source)) {
            return;
        }
        let has_spoken = |session: &Session| session.has_spoken[party as usize];
        if moved.reason == Reason::BehindNat && !self.sessions.get(&(shard, session)).is_some_and(has_spoken) {
            self.is_stolen = true;
        } else if moved.reason != Reason::WindowOver {
            let text = format!("a stranger is taken for the {} of {session:?}: {moved:?}", party.name());
            found.add(Violation::new("media-delivery", text));
        }
    }

    fn compare_report(&mut self, shard: Shard, session: SessionId, legs: &[LegStats; 2], found: &mut Found) {
        let Some(seen) = self.sessions.get(&(shard, session)) else { return };
        let counted = [&legs[0], &legs[1]].map(|leg: &LegStats| leg.received.packets);
        if counted != seen.taken {
            let text = format!("{session:?} of {shard:?} counts {counted:?} packets, {:?} were taken", seen.taken);
            found.add(Violation::new("media-statistics", text));
        }
        if seen.is_removed {
            self.sessions.remove(&(shard, session));
        }
    }

    /// Whether a stranger was believed, as he may be, and may have got what was meant for somebody else.
    pub(super) fn is_stolen(&self) -> bool {
        self.is_stolen
    }

    /// A call has ended.
    pub(super) fn record(&mut self, record: &CallRecord) {
        if record.rtp_caller_packets.is_none() && record.rtp_callee_packets.is_none() {
            return;
        }
        if self.records.len() == KEPT {
            self.records.pop_front();
        }
        let legs = [
            (record.call_id_in.clone(), record.rtp_caller_packets),
            (record.call_id_out.clone(), record.rtp_callee_packets),
        ];
        self.records.push_back(Counted { flow_no: record.flow_no, legs });
    }

    /// The process is gone, and its sessions with it.
    pub(super) fn crashed(&mut self) {
        self.sessions.clear();
        self.places.clear();
    }

    /// What the phones have to say at the end.
    pub(super) fn finish(&self, phones: &[&Phone], found: &mut Found) {
        for phone in phones {
            self.delivery(phone, phones, found);
        }
        for counted in &self.records {
            self.compare(counted, phones, found);
        }
    }

    /// That a phone heard nobody but those whom it talked to.
    fn delivery(&self, phone: &Phone, phones: &[&Phone], found: &mut Found) {
        for (heard, source, packets) in phone.voices().heard() {
            let call = heard.call;
            let is_stolen = self.is_stolen && source & STRANGE != 0;
            if is_stolen || self.played.contains(&source) || phone.voices().is_told(call, source) {
                continue;
            }
            let says = |other: &&&Phone| other.voices().says(source).is_some();
            let speaker = phones.iter().find(says);
            let whose = speaker.map(|speaker| (speaker, speaker.voices().says(source).expect("it says it")));
            let is_lawful = match whose {
                // without names nobody can tell
                Some((speaker, _)) if !speaker.settings().speech.is_named => true,
                // the description that names it was lost, or not passed on any more
                Some((_, whose)) if whose.op > 0 && whose.op == heard.op => true,
                // a translator has given one's mapping to the other
                Some((_, whose)) if phone.settings().shares_nat => is_neighbours(phone, phones, source, whose),
                _ => false,
            };
            if !is_lawful {
                let speaker = speaker.map_or("a stranger", |speaker| speaker.settings().user.as_str());
                let user = &phone.settings().user;
                let text = format!("{user} hears {packets} packets of {speaker}, {source:08x}, in call {call}");
                let call = phone.calls().iter().find(|one| one.number() == call);
                let violation = Violation::new("media-delivery", text);
                found.add(match call {
                    Some(call) => violation.of_call(call.call_id()),
                    None => violation,
                });
            }
        }
    }

    /// That a record has as many packets as the switch took of each phone. One that rebooted before it said anything to an
    /// INVITE takes the next copy for a new one, and has two calls of one Call-ID: the leg's packets are those of both.
    fn compare(&self, counted: &Counted, phones: &[&Phone], found: &mut Found) {
        for (call_id, said) in &counted.legs {
            let Some(said) = said else { continue };
            let calls = phones.iter().flat_map(|phone| phone.calls().iter().map(move |call| (phone.settings(), call)));
            let its: Vec<_> = calls.filter(|(_, call)| call.call_id() == call_id).collect();
            let Some((settings, _)) = its.first().filter(|(settings, _)| settings.speech.is_named) else { continue };
            let bases = its.iter().map(|(settings, call)| rtp::base_of(&settings.user, call.number()));
            let taken: u64 = bases.filter_map(|base| self.taken.get(&base)).sum();
            if *said != taken && !self.is_stolen {
                let text = format!(
                    "the record of call {} has {said} packets of {}, {taken} were taken",
                    counted.flow_no, settings.user
                );
                found.add(Violation::new("media-statistics", text).of_call(call_id));
            }
        }
    }
}

/// Whether what was heard was for another phone behind a translator: a description has named the source to it, or it is
/// in the same operation.
fn is_neighbours(phone: &Phone, phones: &[&Phone], source: u32, whose: Whose) -> bool {
    let is_for = |other: &&&Phone| {
        let is_in_call = whose.op > 0 && other.call_of(whose.op).is_some();
        other.settings().shares_nat && (is_in_call || other.voices().is_told_at_all(source))
    };
    phones.iter().filter(|other| !std::ptr::eq(**other, phone)).any(|other| is_for(&other))
}
