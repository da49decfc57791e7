//! One crossing, drawn by chance: what kind of call, at which of its states, who does what at once.

use super::Links;
use super::place::{ALICE, BOB, Place};
use crate::net::Plan;
use crate::phone::sdp::Codec;
use crate::phone::{Answering, Change, Hold, Phone, Reliability};
use crosspoint_core::rng::Stream;
use crosspoint_core::time::Instant;
use std::time::Duration;

/// Bob rings so long after the INVITE reached him.
const RINGS_MS: u64 = 100;
/// And answers so long after it.
const ANSWERS_MS: u64 = 500;
/// The call is up by then, over the longest links.
const UP_MS: u64 = 1200;
/// The longest way of one link.
const LONGEST_US: u64 = 40_000;

/// At which state of the call things happen at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Inviting,
    Early,
    Answering,
    Confirmed,
    Reinviting,
    Ending,
}

const MOMENTS: [Moment; 6] =
    [Moment::Inviting, Moment::Early, Moment::Answering, Moment::Confirmed, Moment::Reinviting, Moment::Ending];

/// What one side does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Deed {
    Change(Change),
    CancelChange,
    Info,
    /// CANCEL, refusal or BYE, as the state demands.
    HangUp,
    Answer,
}

/// One deed of one side.
#[derive(Clone, Debug)]
struct Move {
    who: &'static str,
    at: Duration,
    deed: Deed,
}

/// The whole of it.
#[derive(Debug)]
pub(super) struct Crossing {
    moment: Moment,
    moves: Vec<Move>,
    /// For both phones.
    reliability: [Reliability; 2],
    early_media: bool,
    makes_offer: bool,
    offers_in_prack: bool,
    prack_after: Duration,
    offers_before_ack: bool,
    thinks: [Duration; 2],
    /// Out of and into Alice, out of and into Bob.
    links: [Plan; 4],
    is_in_order: bool,
}

impl std::fmt::Display for Crossing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "at {:?}, 100rel {:?}, offer in INVITE {}", self.moment, self.reliability, self.makes_offer)?;
        let ways = self.links.map(|link| link.latency_min_us);
        write!(f, "links {ways:?} us, in order: {}", self.is_in_order)?;
        for Move { who, at, deed } in &self.moves {
            write!(f, "\n{who} at {} us: {deed:?}", at.as_micros())?;
        }
        Ok(())
    }
}

impl Crossing {
    pub(super) fn draw(stream: &mut Stream, links: Links) -> Crossing {
        let plans = [0; 4].map(|_| link(stream, links));
        let moment = pick(stream, &MOMENTS);
        let base_ms = match moment {
            Moment::Inviting => 0,
            Moment::Early => RINGS_MS,
            Moment::Answering => ANSWERS_MS,
            Moment::Confirmed | Moment::Reinviting | Moment::Ending => UP_MS,
        };
        let mut moves = Vec::new();
        let first = match moment {
            Moment::Reinviting => Some(Deed::Change(change(stream, false))),
            Moment::Ending => Some(Deed::HangUp),
            _ => None,
        };
        let who = pick(stream, &[ALICE, BOB]);
        moves.extend(first.map(|deed| Move { who, at: ms(base_ms), deed }));
        // four ways lie between one phone's request and the answer of the other
        let span_us = plans.iter().map(|plan| plan.latency_max_us).sum::<u64>() + 1000;
        for _ in 0..2 + stream.below(3) {
            let at = ms(base_ms) + Duration::from_micros(stream.below(span_us));
            let who = pick(stream, &[ALICE, BOB]);
            moves.push(Move { who, at, deed: deed(stream, who) });
        }
        let reliability = [0; 2].map(|_| pick(stream, &[Reliability::Unsupported, Reliability::Supported]));
        Crossing {
            moment,
            moves,
            reliability,
            early_media: stream.below(2) == 0,
            makes_offer: stream.below(4) > 0,
            offers_in_prack: stream.below(4) == 0,
            prack_after: ms(pick(stream, &[0, 0, 50])),
            offers_before_ack: stream.below(2) == 0,
            thinks: [0; 2].map(|_| ms(pick(stream, &[0, 0, 60]))),
            links: plans,
            is_in_order: links == Links::Good,
        }
    }

    /// Gives phones and links the character they have in this one.
    pub(super) fn prepare(&self, place: &mut Place) {
        let grace = if self.is_in_order { Duration::ZERO } else { Duration::from_secs(32) };
        let cancels = self.moves.iter().any(|one| one.deed == Deed::CancelChange);
        for (i, name) in [ALICE, BOB].into_iter().enumerate() {
            place.set_links(name, self.links[2 * i], self.links[2 * i + 1]);
            let (reliability, thinks) = (self.reliability[i], self.thinks[i]);
            place.set(name, |settings| {
                (settings.reliability, settings.answers_changes_after) = (reliability, thinks);
                (settings.crossing_grace, settings.early_media) = (grace, self.early_media);
                settings.far_side_cancels = cancels;
                (settings.makes_offer, settings.offers_in_prack) = (self.makes_offer, self.offers_in_prack);
                (settings.prack_after, settings.offers_before_ack) = (self.prack_after, self.offers_before_ack);
                settings.answering = Answering::Answer { ring_after: ms(RINGS_MS), after: ms(ANSWERS_MS) };
            });
        }
    }

    /// Places the call, and plans what is done in it.
    pub(super) fn begin(&self, place: &mut Place) {
        place.act(ALICE, |alice, now| {
            alice.call(now, BOB);
        });
        for Move { who, at, deed } in &self.moves {
            let deed = deed.clone();
            place.later(*at, who, move |phone, now| deed.act(phone, now));
        }
    }

    /// By then all of it has begun.
    pub(super) fn lasts(&self) -> Duration {
        let last = self.moves.iter().map(|one| one.at).max().unwrap_or_default();
        last.max(ms(UP_MS))
    }
}

impl Deed {
    fn act(self, phone: &mut Phone, now: Instant) {
        match self {
            Deed::Change(change) => phone.change(now, change),
            Deed::CancelChange => phone.cancel_change(now),
            Deed::Info => phone.send_within(now, "INFO", "Signal=5"),
            Deed::HangUp => phone.hang_up(now),
            Deed::Answer => phone.answer(now),
        }
    }
}

fn link(stream: &mut Stream, links: Links) -> Plan {
    let way = 500 + stream.below(LONGEST_US - 500);
    let good = Plan { latency_min_us: way, latency_max_us: way, ..Plan::GOOD };
    match links {
        Links::Good => good,
        Links::Bad => Plan {
            latency_max_us: way + stream.below(LONGEST_US),
            loss_permille: stream.below(80),
            duplicate_permille: stream.below(80),
            reorder_permille: stream.below(80),
            reorder_us: stream.below(200_000),
            ..good
        },
    }
}

fn deed(stream: &mut Stream, who: &str) -> Deed {
    match stream.below(16) {
        0..=4 => Deed::Change(change(stream, false)),
        5..=8 => Deed::Change(change(stream, true)),
        9 => Deed::CancelChange,
        10 | 11 => Deed::Info,
        12 if who == BOB => Deed::Answer,
        _ => Deed::HangUp,
    }
}

fn change(stream: &mut Stream, by_update: bool) -> Change {
    let change = match stream.below(6) {
        0 => Change::hold(Hold::SendOnly),
        1 => Change::hold(Hold::Inactive),
        2 => Change::hold(Hold::Zero),
        3 => Change::hold(Hold::Off),
        4 => Change::codecs(pick(
            stream,
            &[&[Codec::Pcma][..], &[Codec::Pcma, Codec::Pcmu], &[Codec::Pcmu, Codec::Pcma]],
        )),
        _ => Change::REFRESH,
    };
    let without_offer = !by_update && stream.below(5) == 0;
    Change { by_update, without_offer, ..change }
}

fn pick<T: Copy>(stream: &mut Stream, of: &[T]) -> T {
    of[stream.below(of.len() as u64) as usize]
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
