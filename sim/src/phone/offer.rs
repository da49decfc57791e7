//! Offer and answer in one dialog (RFC 3264), as strict as RFC 6337 reads it: who may speak, and what was agreed.
//!
//! The machine knows no SIP message. What the far side does wrong comes back in words.

use super::sdp::{Codec, Direction, Session};
use std::net::SocketAddr;

/// What both sides agreed on, as one of them sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Which way audio goes, from this side's view.
    pub direction: Direction,
    /// The codecs that both take, in the order of the answer.
    pub codecs: Vec<Codec>,
    /// This side's description.
    pub ours: Session,
    /// The far side's description.
    pub theirs: Session,
}

impl Agreed {
    fn of(ours: &Session, theirs: &Session, answer: &Session) -> Agreed {
        let direction = ours.effective().within(theirs.effective());
        Agreed { direction, codecs: answer.codecs.clone(), ours: ours.clone(), theirs: theirs.clone() }
    }

    /// Where the far side receives audio.
    pub fn peer_audio(&self) -> SocketAddr {
        self.theirs.audio
    }

    /// Whether RTCP comes with RTP.
    pub fn is_muxed(&self) -> bool {
        self.ours.has_mux && self.theirs.has_mux
    }

    /// What is wrong where this and the other end of the same call do not agree: each is to send where the other
    /// receives, in the same codecs, and each is to hold what the other wrote last.
    pub fn mismatch(&self, other: &Agreed) -> Option<String> {
        if self.direction.answered() != other.direction {
            return Some(format!("one end is {:?}, the other {:?}", self.direction, other.direction));
        }
        if self.codecs != other.codecs {
            return Some(format!("one end speaks {:?}, the other {:?}", self.codecs, other.codecs));
        }
        let crossed = [(&self.ours.mark, &other.theirs.mark), (&other.ours.mark, &self.theirs.mark)];
        let differs = crossed.into_iter().find(|(wrote, holds)| wrote != holds);
        differs.map(|(wrote, holds)| format!("one end says {wrote:?}, the other holds {holds:?}"))
    }
}

/// Whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Turn {
    /// Nobody waits.
    Idle,
    /// We offered. `in_response`: in a response to an INVITE without an offer, so that its answer comes in ACK or PRACK.
    Sent { offer: Session, in_response: bool },
    /// They offered.
    Received { offer: Session },
}

/// The kind of message that brings a description in the INVITE's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// A provisional answer that may get lost: a preview (RFC 6337 §3.1.1).
    Unreliable,
    /// A provisional answer under RFC 3262, or a 2xx.
    Reliable,
}

/// The state of one dialog.
#[derive(Clone, Debug)]
pub(super) struct Negotiation {
    turn: Turn,
    /// What we wrote last, whatever became of it.
    wrote: Option<Session>,
    /// What they wrote last, whatever became of it.
    read: Option<Session>,
    agreed: Option<Agreed>,
    /// What we said in a provisional answer: the final one says the same.
    preview: Option<Session>,
    /// Over wires that reorder, a description may overtake the one before it: its version may jump.
    pub(super) may_be_overtaken: bool,
}

impl Negotiation {
    pub(super) fn new() -> Negotiation {
        Negotiation { turn: Turn::Idle, wrote: None, read: None, agreed: None, preview: None, may_be_overtaken: false }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.turn == Turn::Idle
    }

    /// Whether an offer of ours waits for its answer.
    pub(super) fn has_sent(&self) -> bool {
        matches!(self.turn, Turn::Sent { .. })
    }

    /// Whether that offer went out in a response.
    pub(super) fn has_sent_in_response(&self) -> bool {
        matches!(self.turn, Turn::Sent { in_response: true, .. })
    }

    /// Whether an offer of theirs waits for our answer.
    pub(super) fn has_received(&self) -> bool {
        matches!(self.turn, Turn::Received { .. })
    }

    pub(super) fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_ref()
    }

    /// The offer that says `wanted`, its version counted on; the lines that were once there stay (RFC 3264 §8).
    pub(super) fn offer(&mut self, wanted: Session, in_response: bool) -> String {
        assert!(self.is_idle(), "the phone offers only where nothing is outstanding: {:?}", self.turn);
        let offer = self.numbered(wanted);
        let text = offer.write();
        self.turn = Turn::Sent { offer, in_response };
        text
    }

    /// Gives a description its version: that of the same words before, else the next one.
    fn numbered(&mut self, mut wanted: Session) -> Session {
        let agreed = self.agreed.as_ref().map(|agreed| &agreed.ours);
        let same = [self.wrote.as_ref(), agreed].into_iter().flatten().find(|old| says_same(old, &wanted));
        if let Some(old) = same {
            wanted = old.clone();
        } else {
            wanted.version = self.wrote.as_ref().map_or(1, |old| old.version + 1);
            if let Some(mark) = &mut wanted.mark {
                mark.push_str(&format!(".{}", wanted.version));
            }
        }
        self.wrote = Some(wanted.clone());
        wanted
    }

    /// Their offer has come. The phone has made sure that it may come.
    pub(super) fn on_offer(&mut self, text: &str) -> Result<(), Vec<String>> {
        let offer = Session::read(text).map_err(|wrong| vec![wrong])?;
        let mut wrong = self.origin_faults(&offer);
        if let Some(agreed) = &self.agreed
            && offer.lines() < agreed.ours.lines()
        {
            wrong.push(format!("an offer of {} m= lines after {}", offer.lines(), agreed.ours.lines()));
        }
        if !self.is_idle() {
            wrong.push("an offer while one is outstanding".to_owned());
        }
        (self.read, self.preview) = (Some(offer.clone()), None);
        self.turn = Turn::Received { offer };
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Whether their offer, where one waits, has a codec of these.
    pub(super) fn can_answer(&self, codecs: &[Codec]) -> bool {
        match &self.turn {
            Turn::Received { offer } => offer.codecs.iter().any(|codec| codecs.contains(codec)),
            _ => true,
        }
    }

    /// A description where all has been said: the same words are tolerated, others are not (RFC 6337 §3.1.1).
    pub(super) fn on_repeated(&self, text: &str) -> Vec<String> {
        match Session::read(text) {
            Ok(again) if self.read.as_ref() == Some(&again) => Vec::new(),
            Ok(_) => vec!["a description that differs from the one agreed on".to_owned()],
            Err(wrong) => vec![wrong],
        }
    }

    /// Our answer to their offer, from what we would like; none where no codec is common. Sent unreliably it is a
    /// preview, and the offer stays open.
    pub(super) fn answer(&mut self, wanted: Session, carrier: Carrier) -> Option<String> {
        let Turn::Received { offer } = &self.turn else { return None };
        let offer = offer.clone();
        let answer = match self.preview.take() {
            Some(said) => said,
            None => {
                let mut answer = wanted;
                answer.codecs = offer.codecs.iter().copied().filter(|codec| answer.codecs.contains(codec)).collect();
                if answer.codecs.is_empty() {
                    return None;
                }
                answer.direction = answer.direction.within(offer.effective());
                answer.is_zero = false;
                answer.has_mux &= offer.has_mux;
                answer.other_lines = offer.other_lines.iter().map(|line| refused_line(line)).collect();
                self.numbered(answer)
            }
        };
        let text = answer.write();
        if carrier == Carrier::Reliable {
            self.agreed = Some(Agreed::of(&answer, &offer, &answer));
            self.turn = Turn::Idle;
        }
        self.preview = Some(answer);
        Some(text)
    }

    /// Their answer to our offer has come.
    pub(super) fn on_answer(&mut self, text: &str) -> Vec<String> {
        let answer = match Session::read(text) {
            Ok(answer) => answer,
            Err(wrong) => return vec![wrong],
        };
        let Turn::Sent { offer, .. } = &self.turn else {
            // the answer again, word for word, is tolerated (RFC 6337 §3.1.1)
            let is_again = self.read.as_ref() == Some(&answer);
            return if is_again {
                Vec::new()
            } else {
                vec!["an answer without an offer, or one that differs".to_owned()]
            };
        };
        let mut wrong = self.origin_faults(&answer);
        if answer.lines() != offer.lines() {
            wrong.push(format!("an answer of {} m= lines to an offer of {}", answer.lines(), offer.lines()));
        }
        if answer.codecs.is_empty() || answer.codecs.iter().any(|codec| !offer.codecs.contains(codec)) {
            wrong.push(format!("an answer of {:?} to an offer of {:?}", answer.codecs, offer.codecs));
        }
        let allowed = answer.direction.within(offer.effective());
        // a hold by c=0.0.0.0 says sendrecv, and may be answered so
        if allowed != answer.direction && answer.effective() != allowed && !offer.is_zero {
            wrong.push(format!("an answer of {:?} to an offer of {:?}", answer.direction, offer.effective()));
        }
        self.agreed = Some(Agreed::of(offer, &answer, &answer));
        (self.turn, self.read) = (Turn::Idle, Some(answer));
        wrong
    }

    /// A description in a provisional answer that may get lost: looked at, and kept in mind.
    pub(super) fn on_preview(&mut self, text: &str) -> Result<Session, Vec<String>> {
        let preview = Session::read(text).map_err(|wrong| vec![wrong])?;
        if !self.has_sent() {
            let is_again = self.read.as_ref() == Some(&preview);
            return if is_again { Ok(preview) } else { Err(vec!["a provisional answer without an offer".to_owned()]) };
        }
        let wrong = self.origin_faults(&preview);
        self.read = Some(preview.clone());
        if wrong.is_empty() { Ok(preview) } else { Err(wrong) }
    }

    /// Their offer has come and is refused unread, but for its version: the next one counts on from it.
    pub(super) fn on_refused_offer(&mut self, text: &str) -> Vec<String> {
        let offer = match Session::read(text) {
            Ok(offer) => offer,
            Err(wrong) => return vec![wrong],
        };
        let wrong = self.origin_faults(&offer);
        self.read = Some(offer);
        wrong
    }

    /// Our offer was refused, or theirs by us: all is as it was.
    pub(super) fn roll_back(&mut self) {
        self.turn = Turn::Idle;
    }

    /// RFC 3264 §8: `o=` stays, its version rises by one where anything changed, and else stays too. A description that
    /// was refused may be passed over.
    fn origin_faults(&self, now: &Session) -> Vec<String> {
        let agreed = self.agreed.as_ref().map(|agreed| &agreed.theirs);
        let (Some(last), agreed) = (self.read.as_ref(), agreed) else { return Vec::new() };
        if last.origin != now.origin {
            return vec![format!("o= was {:?} and is {:?}", last.origin, now.origin)];
        }
        let follows = |old: &Session| match old.says_what(now) {
            true if now.version == old.version => true,
            true => self.may_be_overtaken && now.version > old.version,
            false if self.may_be_overtaken => now.version != old.version,
            false => now.version == old.version + 1,
        };
        if follows(last) || agreed.is_some_and(follows) {
            return Vec::new();
        }
        let what = if last.says_what(now) { "the same words" } else { "other words" };
        vec![format!("o= version {} after {}, with {what}", now.version, last.version)]
    }
}

/// Whether an old description says what is wanted now: its mark, which carries the version, stands apart.
fn says_same(old: &Session, wanted: &Session) -> bool {
    let plain = |session: &Session| Session { mark: None, ..session.clone() };
    plain(old).says_what(&plain(wanted))
}

/// A line of an offer with port 0: we do not take it (RFC 3264 §6).
fn refused_line(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        [media, _, ref rest @ ..] => format!("{media} 0 {}", rest.join(" ")),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(port: u16) -> Session {
        Session::new(format!("192.0.2.1:{port}").parse().unwrap(), &[Codec::Pcmu, Codec::Pcma])
    }

    fn agree(a: &mut Negotiation, b: &mut Negotiation, wanted: Session) {
        b.on_offer(&a.offer(wanted, false)).unwrap();
        let answer = b.answer(session(5000), Carrier::Reliable).unwrap();
        assert_eq!(a.on_answer(&answer), [] as [String; 0]);
        assert_eq!(a.agreed().unwrap().mismatch(b.agreed().unwrap()), None);
    }

    #[test]
    fn versions_rise_with_changes_and_only_then() {
        let (mut a, mut b) = (Negotiation::new(), Negotiation::new());
        agree(&mut a, &mut b, session(4000));
        agree(&mut a, &mut b, session(4000));
        assert_eq!(a.agreed().unwrap().ours.version, 1);
        let held = Session { direction: Direction::SendOnly, ..session(4000) };
        agree(&mut a, &mut b, held.clone());
        let agreed = [a.agreed().unwrap(), b.agreed().unwrap()];
        assert_eq!(agreed.map(|agreed| agreed.ours.version), [2, 2]);
        assert_eq!(agreed.map(|agreed| agreed.direction), [Direction::SendOnly, Direction::RecvOnly]);
        let skipped = Session { version: 9, ..session(4000) };
        assert!(b.on_offer(&skipped.write()).unwrap_err()[0].contains("o= version 9 after 2"));
        b.roll_back();
        let risen = Session { version: 3, ..held };
        assert!(b.on_offer(&risen.write()).is_err(), "a version that rises over the same words");
    }

    #[test]
    fn a_refused_offer_leaves_all_as_it_was() {
        let (mut a, mut b) = (Negotiation::new(), Negotiation::new());
        agree(&mut a, &mut b, session(4000));
        let before = a.agreed().cloned();
        let refused = a.offer(Session { direction: Direction::Inactive, ..session(4000) }, false);
        b.on_offer(&refused).unwrap();
        a.roll_back();
        b.roll_back();
        assert_eq!(a.agreed().cloned(), before);
        agree(&mut b, &mut a, session(5000));
        agree(&mut a, &mut b, session(4001));
    }

    #[test]
    fn what_is_out_of_turn_or_out_of_shape_is_told() {
        let (mut a, mut b) = (Negotiation::new(), Negotiation::new());
        assert!(a.on_answer(&session(1).write())[0].contains("without an offer"));
        let offer = a.offer(Session { other_lines: vec!["video 6000 RTP/AVP 96".to_owned()], ..session(4000) }, false);
        assert!(a.on_answer(&session(1).write())[0].contains("m= lines"));
        b.on_offer(&offer).unwrap();
        assert!(b.on_offer(&offer).unwrap_err()[0].contains("outstanding"));
        assert!(b.answer(session(5000), Carrier::Reliable).unwrap().contains("m=video 0 RTP/AVP 96"));
    }

    #[test]
    fn no_common_codec_is_no_answer() {
        let (mut a, mut b) = (Negotiation::new(), Negotiation::new());
        b.on_offer(&a.offer(session(4000), false)).unwrap();
        assert_eq!(b.answer(Session::new("192.0.2.2:1".parse().unwrap(), &[Codec::G722]), Carrier::Reliable), None);
    }
}
