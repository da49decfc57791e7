//! Random sessions, stations, packets, moves and ends, beside a model that only knows which socket belongs to which
//! session, to whom something plays, and what one may never see.

use super::super::super::LEARNING_WINDOW;
use super::super::super::rtcp::is_rtcp;
use super::super::super::rtp::Header;
use super::super::super::tone::Cadence;
use super::*;
use quickcheck::{Arbitrary, Gen, quickcheck};

/// Three sessions with four sockets each, and one socket of nobody.
const SESSIONS: u64 = 3;
const SOCKETS: u32 = 4 * SESSIONS as u32 + 1;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Op {
    Install {
        session: u64,
        behind_nat: bool,
    },
    Update {
        session: u64,
        callee: bool,
        peer: u8,
        behind_nat: bool,
        reopen: bool,
        datagrams: bool,
    },
    Remove {
        session: u64,
    },
    Station {
        session: u64,
        behind_nat: bool,
        echo: bool,
    },
    /// A tone, or nothing any more.
    Play {
        session: u64,
        callee: bool,
        tone: bool,
    },
    /// Bytes of the head of a packet, from one of few sources.
    Packet {
        socket: u32,
        from: u8,
        bytes: Vec<u8>,
    },
    Wait {
        ms: u64,
    },
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Op {
        let mut below = |bound: u64| u64::arbitrary(g) % bound;
        let (session, peer) = (below(SESSIONS), below(6) as u8);
        match below(28) {
            24 => Op::Station { session, behind_nat: below(2) == 0, echo: below(2) == 0 },
            25..28 => Op::Play { session, callee: below(2) == 0, tone: below(3) > 0 },
            0 | 1 => Op::Install { session, behind_nat: below(2) == 0 },
            2 => Op::Remove { session },
            3 | 4 => Op::Update {
                session,
                callee: below(2) == 0,
                peer,
                behind_nat: below(2) == 0,
                reopen: below(2) == 0,
                datagrams: below(8) == 0,
            },
            5 => Op::Wait { ms: below(7000) },
            kind => {
                let socket = below(SOCKETS.into()) as u32;
                let bytes = match kind {
                    6..18 => rtp([0, 8, 101, 0x80 | 120][below(4) as usize], below(300) as u16),
                    18..21 => rtcp(),
                    _ => Vec::arbitrary(g),
                };
                Op::Packet { socket, from: peer, bytes }
            }
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Op>> {
        match self.clone() {
            Op::Packet { socket, from, bytes } => {
                Box::new(bytes.shrink().map(move |bytes| Op::Packet { socket, from, bytes }))
            }
            _ => quickcheck::empty_shrinker(),
        }
    }
}

/// Hosts that some legs signal from, with two ports each.
fn peer(number: u8) -> SocketAddr {
    SocketAddr::new([192, 0, 2, number / 2].into(), 4000 + 2 * u16::from(number % 2))
}

fn plan(session: u64, callee: bool, number: u8, behind_nat: bool) -> LegPlan {
    let socket = 4 * session as u32 + if callee { 2 } else { 0 };
    LegPlan { is_behind_nat: behind_nat, ..leg(socket, &peer(number).to_string()) }
}

fn party_of(socket: u32) -> (SessionId, Party, Component) {
    let party = if socket % 4 < 2 { Party::Caller } else { Party::Callee };
    let component = if socket.is_multiple_of(2) { Component::Rtp } else { Component::Rtcp };
    (SessionId(u64::from(socket / 4)), party, component)
}

/// The shard, what it may hold, and what it was fed.
struct World {
    shard: MediaShard,
    now: Instant,
    generation: u32,
    /// The numbers of sessions go up by [`SESSIONS`] for each life of one.
    lives: [Option<SessionId>; SESSIONS as usize],
    ended: u64,
    fed: u64,
    /// Those of one leg.
    stations: BTreeSet<SessionId>,
    /// As they were updated.
    kinds: BTreeMap<(SessionId, Party), Kind>,
    /// To whom a tone plays or an echo answers.
    playing: BTreeSet<(SessionId, Party)>,
    /// Packets that the switch made for each session's parties.
    played: BTreeMap<(SessionId, Party), u64>,
    /// Packets that each session's parties were sent.
    sent: BTreeMap<(SessionId, Party), u64>,
}

impl World {
    fn new() -> World {
        let lives = [None; SESSIONS as usize];
        World {
            shard: empty(),
            now: Instant::EPOCH,
            generation: 0,
            lives,
            ended: 0,
            fed: 0,
            stations: BTreeSet::new(),
            kinds: BTreeMap::new(),
            playing: BTreeSet::new(),
            played: BTreeMap::new(),
            sent: BTreeMap::new(),
        }
    }

    /// A name for a session in this place, unless there is one.
    fn begin(&mut self, slot: u64) -> Option<SessionId> {
        let place = &mut self.lives[slot as usize];
        if place.is_some() {
            return None;
        }
        self.ended += 1;
        place.replace(SessionId(self.ended));
        *place
    }

    fn apply(&mut self, op: MediaOp) {
        self.shard.apply(self.now, op);
        let answers = reports(&mut self.shard);
        assert!(matches!(answers.last(), Some(MediaReport::Applied { .. })), "{answers:?}");
    }

    fn happen(&mut self, op: Op) {
        self.generation += 1;
        let generation = self.generation;
        match op {
            Op::Wait { ms } => {
                self.now = self.now + Duration::from_millis(ms);
                self.listen();
            }
            Op::Install { session: slot, behind_nat } => {
                let Some(session) = self.begin(slot) else { return };
                let legs = [plan(slot, false, 0, behind_nat), plan(slot, true, 2, behind_nat)];
                self.apply(install(session, generation, legs));
            }
            Op::Update { session: slot, callee, peer, behind_nat, reopen, datagrams } => {
                let Some(session) = self.lives[slot as usize] else { return };
                let (is_station, party) = (self.stations.contains(&session), Party::BOTH[usize::from(callee)]);
                // what is refused is tried by hand
                if is_station && callee || datagrams && self.playing.contains(&(session, party)) {
                    return;
                }
                let kind = if datagrams { Kind::Datagrams } else { Kind::Rtp };
                self.kinds.insert((session, party), kind);
                let leg = Box::new(LegPlan { kind, ..plan(slot, callee, peer, behind_nat) });
                let learning = if reopen { Learning::Reopen } else { Learning::Keep };
                let other = self.shard.target(session, party.other(), Component::Rtp).copied();
                self.apply(MediaOp::Update { session, generation, party, leg, learning });
                assert_eq!(self.shard.target(session, party.other(), Component::Rtp).copied(), other);
            }
            Op::Remove { session: slot } => {
                let Some(session) = self.lives[slot as usize].take() else { return };
                self.playing.retain(|(playing, _)| *playing != session);
                self.apply(MediaOp::Remove { session, generation });
            }
            Op::Packet { socket, from, mut bytes } => {
                self.fed += 1;
                self.packet(socket, peer(from), &mut bytes);
            }
            Op::Station { session: slot, behind_nat, echo } => {
                let Some(session) = self.begin(slot) else { return };
                self.stations.insert(session);
                self.playing.insert((session, Party::Caller));
                let program = if echo { Program::Echo } else { Program::Tone(Cadence::ringback()) };
                let leg = Box::new(plan(slot, false, 0, behind_nat));
                self.apply(MediaOp::Station { session, generation, leg, law: Law::A, program });
            }
            Op::Play { session: slot, callee, tone } => {
                let Some(session) = self.lives[slot as usize] else { return };
                let (is_station, to) = (self.stations.contains(&session), Party::BOTH[usize::from(callee)]);
                if is_station && callee || tone && self.kind(session, to) != Kind::Rtp {
                    return;
                }
                match tone {
                    true => self.playing.insert((session, to)),
                    false => self.playing.remove(&(session, to)),
                };
                let program = tone.then(|| Program::Tone(Cadence::ringback()));
                self.apply(MediaOp::Play { session, generation, to, law: Law::A, program });
            }
        }
    }

    fn kind(&self, session: SessionId, party: Party) -> Kind {
        self.kinds.get(&(session, party)).copied().unwrap_or(Kind::Rtp)
    }

    /// What the switch sends of itself by now.
    fn listen(&mut self) {
        let mut out = [0; PACKET_BYTES];
        while let Some((socket, to)) = self.shard.poll_packet(self.now, &mut out) {
            let (slot, party, component) = party_of(socket.0);
            let session = self.lives[slot.0 as usize].expect("nothing plays in a session that ended");
            assert!(component == Component::Rtp && self.playing.contains(&(session, party)));
            let target = self.shard.target(session, party, component).and_then(|moved| moved.target);
            assert_eq!(target, Some(to), "to its target");
            assert_eq!(Header::read(&out).map(|header| header.payload_type), Some(8));
            *self.played.entry((session, party)).or_default() += 1;
        }
        assert!(self.shard.poll_timeout().is_none_or(|at| at > self.now), "progress (rule R5)");
        let playing = self.playing.len() as u64;
        assert!(self.shard.turns.len() as u64 <= playing, "one turn for each");
    }

    /// Whether the statistics of a session are what its parties were sent.
    fn counts(&mut self, session: SessionId) -> bool {
        self.shard.apply(self.now, MediaOp::Read { session });
        let Some(MediaReport::Stats { legs, .. }) = reports(&mut self.shard).pop() else { return false };
        Party::BOTH.into_iter().all(|party| {
            let (leg, from) = (&legs[party as usize], &legs[party.other() as usize]);
            let count = |counts: &BTreeMap<_, u64>| counts.get(&(session, party)).copied().unwrap_or(0);
            let (sent, played) = (count(&self.sent), count(&self.played));
            let sent_and_played = leg.sent.packets + leg.rtcp_sent + leg.played.packets;
            match (self.stations.contains(&session), party) {
                (true, Party::Caller) => sent_and_played == sent + played && leg.tally.forwarded == sent,
                (true, Party::Callee) => *leg == LegStats::default(),
                (false, _) => {
                    sent_and_played == sent + played && leg.played.packets == played && from.tally.forwarded == sent
                }
            }
        })
    }

    fn packet(&mut self, socket: u32, from: SocketAddr, bytes: &mut [u8]) {
        let (slot, party, component) = party_of(socket);
        let session = self.lives.get(slot.0 as usize).copied().flatten();
        let target = |shard: &MediaShard, party, component| shard.target(session?, party, component).copied();
        let before = target(&self.shard, party, component);
        let original = bytes.to_vec();
        let relay = self.shard.relay(self.now, LegSocket(socket), from, bytes);
        let after = target(&self.shard, party, component);
        let is_told = reports(&mut self.shard).iter().any(|report| matches!(report, MediaReport::Latched { .. }));
        assert!(before == after || is_told, "a move is told");
        if before.is_some_and(|moved| moved.state == TargetState::Locked) {
            assert_eq!(before, after, "a packet moves a locked leg");
        }
        match relay {
            Relay::Forward { out, to } => {
                let (out_slot, out_party, out_component) = party_of(out.0);
                let session = session.expect("a session forwards");
                let is_echo = self.stations.contains(&session);
                let back = if is_echo { party } else { party.other() };
                assert_eq!((out_slot, out_party), (slot, back), "to the other leg of the same session, or back");
                let is_played_to = self.playing.contains(&(session, out_party));
                let is_control = self.kind(session, party) == Kind::Rtp && is_rtcp(bytes);
                assert!(is_control || is_played_to == is_echo, "nothing is mixed");
                let own = target(&self.shard, out_party, out_component).and_then(|moved| moved.target);
                assert_eq!(own, Some(to), "to its target");
                *self.sent.entry((session, out_party)).or_default() += 1;
                let mut edited = original;
                let head = if is_echo { 1..12 } else { 1..2.min(edited.len()) };
                edited[head.clone()].copy_from_slice(&bytes[head]);
                assert_eq!(edited, bytes, "nothing but the payload type is edited");
            }
            Relay::Drop(MediaDrop::NoSession) => {
                let has_leg =
                    session.is_some_and(|session| !self.stations.contains(&session) || party == Party::Caller);
                assert_eq!((has_leg, before), (false, None));
            }
            Relay::Consume | Relay::Drop(_) => {
                assert!(session.is_some());
                assert_eq!(original, bytes, "what goes nowhere is not edited");
            }
        }
    }
}

quickcheck! {
    fn no_packet_goes_astray(ops: Vec<Op>) -> bool {
        let mut world = World::new();
        ops.into_iter().for_each(|op| world.happen(op));
        let live: Vec<SessionId> = world.lives.into_iter().flatten().collect();
        assert_eq!((world.shard.tally().fed(), world.shard.len()), (world.fed, live.len()));
        live.into_iter().all(|session| world.counts(session))
    }

    fn a_stranger_never_gets_a_leg_that_is_behind_no_translator(packets: Vec<(u32, u8, u32, Vec<u8>)>) -> bool {
        let mut shard = shard(legs());
        let mut now = at(0);
        for (socket, port, wait_us, mut bytes) in packets {
            now = now + Duration::from_micros(u64::from(wait_us) % (2 * LEARNING_WINDOW.as_micros() as u64));
            let stranger = SocketAddr::new([203, 0, 113, 66].into(), 1024 + u16::from(port));
            let relay = shard.relay(now, LegSocket(socket % 4), stranger, &mut bytes);
            let mut sound = rtp(0, u16::from(port));
            let second = shard.relay(now, LegSocket(socket % 4), stranger, &mut sound);
            if matches!(relay, Relay::Forward { .. }) || matches!(second, Relay::Forward { .. }) {
                return false;
            }
        }
        reports(&mut shard).is_empty() && shard.target(SESSION, Party::Caller, Component::Rtp).unwrap().target == Some(address(CALLER))
    }
}
