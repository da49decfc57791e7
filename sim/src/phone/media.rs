//! The phone's media: where its calls lead it, what it sends, what it hears.

use super::Phone;
use super::dialog::Spot;
use super::message::Message;
use super::rtp::{self, Heard, Media, Packet, Target};
use super::sdp::{Codec, Direction, NAMED_RTCP, Session, of_message};
use super::settings::Settings;
use super::speech::{PORTS_OF_CALL, Rtcp, SLOTS};
use super::voices::{Audio, Voices, Whose};
use crosspoint_core::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

/// The audio of calls that are over.
#[derive(Debug, Default)]
pub(super) struct Trails(Vec<(Instant, Media)>);

/// The source that a description announces, and in which call.
pub(super) fn source_in(message: &Message) -> Option<(String, u32)> {
    let body = of_message(message).filter(|body| body.contains("a=ssrc:"))?;
    Some((message.call_id().to_owned(), Session::read(body).ok()?.source?))
}

/// What is described.
impl Phone {
    /// What it would like a new call to be.
    pub(super) fn first_description(&self, number: u32) -> Session {
        let speech = &self.settings.speech;
        let audio = self.audio_of(number);
        let mut wanted = Session::new(audio, &self.settings.codecs);
        wanted.rtcp_port = (speech.rtcp == Rtcp::Named).then(|| audio.port() + NAMED_RTCP);
        wanted.has_mux = speech.rtcp == Rtcp::Muxed;
        wanted.source = speech.is_named.then(|| self.base_of(number));
        if self.settings.offers_video {
            wanted.other_lines.push(format!("video {} RTP/AVP 31", audio.port() + 2));
        }
        wanted.mark = self.settings.marks.then(|| self.settings.user.clone());
        wanted
    }

    /// Where a call receives: a new one has the ports that were given up longest ago, and none that another call has. One
    /// that was lost in a reboot has them still, since its far side may go on.
    fn audio_of(&self, number: u32) -> SocketAddr {
        if let Some(call) = self.calls.get(number) {
            return call.wanted.audio;
        }
        let Settings { audio, speech, .. } = &self.settings;
        let places = (0..SLOTS.into())
            .map(|turn| SocketAddr::new(audio.ip(), audio.port() + speech.offset(number.wrapping_add(turn))));
        let use_of = |at: &SocketAddr| {
            let latest = self.calls.all().iter().rev().find(|call| call.wanted.audio == *at);
            let left = latest.map(|call| call.left_at.filter(|_| call.is_over()));
            (left == Some(None), left.flatten().map(|(at, _)| at))
        };
        places.min_by_key(use_of).expect("there is a slot")
    }

    fn base_of(&self, number: u32) -> u32 {
        rtp::base_of(&self.settings.user, number)
    }

    /// Takes down whose media is announced in this call.
    pub(super) fn note_source(&mut self, call_id: &str, source: u32) {
        if let Some(call) = self.calls.all().iter().rev().find(|call| call.call_id == call_id) {
            self.voices.tell(call.number, source);
        }
    }

    /// What was agreed in the dialog that counts is what is heard and said from now on.
    pub(super) fn sync_media(&mut self, spot: Spot) {
        let call = self.find_call(spot.call);
        if spot.dialog != call.current || call.is_ending() {
            return;
        }
        if let Some(agreed) = call.agreed().cloned() {
            let codec = agreed.codecs.first().copied();
            self.point_media(spot.call, [&agreed.ours, &agreed.theirs], agreed.direction, codec);
        }
    }

    pub(super) fn preview_media(&mut self, number: u32, theirs: &Session) {
        let ours = self.find_call(number).wanted.clone();
        let direction = ours.effective().within(theirs.effective());
        self.point_media(number, [&ours, theirs], direction, theirs.codecs.first().copied());
    }

    fn point_media(&mut self, number: u32, [ours, theirs]: [&Session; 2], direction: Direction, codec: Option<Codec>) {
        let (now, speech, base) = (self.now, self.settings.speech, self.base_of(number));
        let control = theirs.control(ours.has_mux && theirs.has_mux);
        let target = Target { to: theirs.audio, control, direction, codec: codec.unwrap_or(Codec::Pcmu) };
        // a source begins with any number (RFC 3550 §5.1)
        let sequence = self.stream.next_u64() as u16;
        let call = self.find_call(number);
        let whose = Whose { call: number, op: call.op };
        match &mut call.media {
            Some(media) => media.redirect(now, target, sequence),
            none => *none = Some(Media::new(now, ours.audio, target, speech, (base, sequence))),
        }
        self.voices.say(base, whose);
    }

    /// A call says nothing any more, but for what trails.
    pub(super) fn fall_silent(&mut self, number: u32) {
        let now = self.now;
        let Some(media) = self.find_call(number).media.take() else { return };
        let trails = Duration::from_millis(media.speech().trails_ms);
        if !trails.is_zero() {
            self.trails.0.push((now + trails, media));
        }
    }
}

/// What comes and goes.
impl Phone {
    /// The next packet of media that is due.
    pub fn poll_media(&mut self, now: Instant) -> Option<Packet> {
        if !self.settings.talks {
            return None;
        }
        self.trails.0.retain(|(until, media)| media.next_at().is_some_and(|at| at < *until));
        let trails = self.trails.0.iter_mut().map(|(_, media)| media);
        let mut all = self.calls.live_mut().filter_map(|call| call.media.as_mut()).chain(trails);
        let packet = all.find_map(|media| media.poll(now))?;
        self.voices.audio.sent += u64::from(matches!(rtp::heard(&packet.bytes), Heard::Audio(_)));
        Some(packet)
    }

    /// The next audio packet that is due, and where to; for a phone that has one port for media.
    pub fn poll_audio(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        self.poll_media(now).map(|packet| (packet.to, packet.bytes))
    }

    /// When the next packet of media is due.
    pub fn poll_audio_timeout(&self) -> Option<Instant> {
        if !self.settings.talks {
            return None;
        }
        let trails = self.trails.0.iter().map(|(_, media)| media);
        self.calls.live().filter_map(|call| call.media.as_ref()).chain(trails).filter_map(Media::next_at).min()
    }

    /// Takes an audio packet from the network.
    pub fn handle_audio(&mut self, packet: &[u8]) {
        self.handle_media(self.settings.audio, packet);
    }

    /// Takes a packet that has come to one of its ports for media.
    pub fn handle_media(&mut self, at: SocketAddr, packet: &[u8]) {
        let heard = rtp::heard(packet);
        let is_report = matches!(heard, Heard::Control(_));
        let source = match heard {
            Heard::Odd => return self.voices.audio.odd += 1,
            Heard::Control(source) => {
                self.voices.audio.control += 1;
                source
            }
            Heard::Audio(source) => {
                self.voices.audio.received += 1;
                source
            }
        };
        let first = |audio: SocketAddr| audio.port()..audio.port() + PORTS_OF_CALL;
        let is_its = |audio: SocketAddr| first(audio).contains(&at.port());
        let call = self.calls.all().iter().rev().find(|call| is_its(call.wanted.audio));
        let whose = call.map_or(Whose { call: 0, op: 0 }, |call| Whose { call: call.number, op: call.op });
        self.voices.hear(whose, source);
        if is_report {
            self.voices.report(whose.call, source);
        }
    }

    /// How much was sent and heard so far.
    pub fn audio(&self) -> Audio {
        self.voices.audio
    }

    /// Who was heard in which call, and who says what.
    pub fn voices(&self) -> &Voices {
        &self.voices
    }
}

#[cfg(test)]
mod tests {
    use super::super::{End, Phone, Settings, Speech};
    use super::*;
    use crosspoint_core::rng::{Seed, Stream};

    #[test]
    fn no_two_calls_that_last_share_a_port_and_a_new_one_has_that_which_was_given_up_longest_ago() {
        let address = |text: &str| text.parse().unwrap();
        let (local, server) = (address("192.0.2.9:5060"), address("192.0.2.1:5060"));
        let mut settings = Settings::new("alice", "secret", "example.net", local, server);
        settings.speech = Speech { is_named: true, ..Speech::default() };
        let mut phone = Phone::new(settings, Stream::new(Seed::from_number(7), 1));
        let port = |phone: &mut Phone| {
            let number = phone.call(phone.now, "bob");
            phone.find_call(number).wanted.audio.port()
        };
        let ports: Vec<u16> = (0..SLOTS).map(|_| port(&mut phone)).collect();
        assert!(ports.iter().enumerate().all(|(n, port)| !ports[..n].contains(port)), "{ports:?}");
        for (second, number) in [(1, 10), (2, 7), (3, 3)] {
            phone.tick(Instant::EPOCH + Duration::from_secs(second));
            phone.over(number, End::TimedOut);
        }
        let found = [0; 3].map(|_| port(&mut phone));
        assert_eq!(found, [10, 7, 3].map(|number| ports[number - 1]));
    }
}
