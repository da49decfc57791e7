//! Broken phones: what each does wrong, and that the switch makes of it what the RFC says.

use crosspoint_core::counters::DropReason;
use crosspoint_sim::check::Lawful;
use crosspoint_sim::phone::{Answering, End, Misbehaviour, Reliability, Script, State};
use crosspoint_sim::world::World;
use std::time::Duration;

const ALICE: &str = "alice";
const BOB: &str = "bob";

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn answering(after_ms: u64) -> Script {
    let answering = Answering::Answer { ring_after: ms(0), after: ms(after_ms) };
    Script { answering: Some(answering), ..Script::default() }
}

/// Alice calls Bob, who answers after 200 ms; then `who` hangs up, a second after the INVITE.
struct Play {
    world: World,
}

impl Play {
    fn new(caller: Script, callee: Script) -> Play {
        let mut world = World::new(7, &[ALICE, BOB]);
        for (name, script) in [(ALICE, caller), (BOB, callee)] {
            world.act(name, |phone, _| {
                (phone.settings_mut().talks, phone.settings_mut().reuse_nonce) = (false, true);
                phone.expect(1, script);
            });
        }
        world.register_all();
        world.forget_log();
        world.act(ALICE, |alice, now| {
            alice.call_for(now, 1, BOB, &[]);
        });
        Play { world }
    }

    fn by_caller(fault: Misbehaviour) -> Play {
        Play::new(Script { misbehaviours: vec![fault], ..Script::default() }, answering(200))
    }

    fn by_callee(fault: Misbehaviour) -> Play {
        Play::new(Script::default(), Script { misbehaviours: vec![fault], ..answering(200) })
    }

    fn states(&self) -> [State; 2] {
        [ALICE, BOB].map(|name| self.world.phone(name).call_of(1).map_or(State::Calling, |call| call.state()))
    }

    /// The call lives whatever was done to it.
    #[track_caller]
    fn stays_up(mut self) -> Play {
        self.world.run_for(ms(1000));
        assert_eq!(self.states(), [State::Up; 2], "{}", self.world.ladder("it should be up"));
        self
    }

    fn hang_up(mut self, who: &str) -> Play {
        self.world.act(who, |phone, now| phone.hang_up_op(now, 1));
        self
    }

    /// All ends well for the caller; the callee never hears of it.
    #[track_caller]
    fn world_ends(mut self, title: &str, caller: State) -> String {
        assert!(self.world.run_until_idle(Duration::from_secs(300)));
        let ladder = self.world.ladder(title);
        assert_eq!(self.world.violations(), [] as [String; 0], "{ladder}");
        assert_eq!(self.states()[0], caller, "{ladder}");
        assert!(self.world.phone(BOB).calls().is_empty(), "{ladder}");
        ladder
    }

    /// All ends well, for the innocent.
    #[track_caller]
    fn ends(mut self, title: &str, expected: [End; 2]) -> String {
        let is_idle = self.world.run_until_idle(Duration::from_secs(300));
        let ladder = self.world.ladder(title);
        assert!(is_idle, "{ladder}");
        assert_eq!(self.world.violations(), [] as [String; 0], "{ladder}");
        assert_eq!(self.states(), expected.map(State::Over), "{ladder}");
        ladder
    }
}

/// The caller hangs up after a second of a call that nothing disturbs.
const USUAL: [End; 2] = [End::HungUp, End::PeerHungUp];

#[test]
fn a_caller_acknowledges_never_late_or_twice() {
    let mut play = Play::by_caller(Misbehaviour::NoAck);
    play.world.run_for(Duration::from_secs(60));
    let ladder = play.ends("no ACK", [End::PeerHungUp, End::NoAck]);
    // RFC 3261 §13.3.1.4: at 0.5, 1.5, 3.5, 7.5 ... 31.5 s after the first
    assert!(ladder.contains("(again x10)") && ladder.contains("text=\"no_ack\""), "{ladder}");
    let late = Play::by_caller(Misbehaviour::AckLate { after_ms: 700 }).stays_up().hang_up(ALICE);
    insta::assert_snapshot!(late.ends("the ACK comes after 700 ms", USUAL));
    let twice = Play::by_caller(Misbehaviour::AckTwice).stays_up().hang_up(ALICE).ends("two ACKs", USUAL);
    assert_eq!(count(&twice, "|--ACK c2"), 1, "{twice}");
}

#[test]
fn a_bye_right_behind_the_answer() {
    let by_callee = Play::by_callee(Misbehaviour::ByeBeforeAck);
    insta::assert_snapshot!(by_callee.ends("BYE behind the 200", [End::PeerHungUp, End::HungUp]));
    Play::by_caller(Misbehaviour::ByeBeforeAck).ends("BYE before the ACK", USUAL);
}

#[test]
fn two_byes() {
    let ladder = Play::by_caller(Misbehaviour::ByeTwice).stays_up().hang_up(ALICE).ends("two BYEs", USUAL);
    assert_eq!((count(&ladder, "|--BYE c2"), count(&ladder, "cdr ")), (1, 1), "{ladder}");
    let ladder = Play::by_callee(Misbehaviour::ByeTwice).stays_up().hang_up(BOB);
    ladder.ends("two BYEs", [End::PeerHungUp, End::HungUp]);
}

#[test]
fn a_cancel_that_comes_too_late_or_too_early() {
    Play::by_caller(Misbehaviour::CancelAfterAnswer).stays_up().hang_up(ALICE).ends("CANCEL after the 200", USUAL);
    let early = Play::by_caller(Misbehaviour::CancelUnheard { after_ms: 0 });
    insta::assert_snapshot!(early.ends("CANCEL right behind the INVITE", [End::Cancelled; 2]));
}

#[test]
fn answers_after_the_answer() {
    for fault in [Misbehaviour::RefusalAfterAnswer, Misbehaviour::ProvisionalAfterAnswer] {
        let ladder = Play::by_callee(fault).stays_up().hang_up(ALICE).ends("an answer too many", USUAL);
        assert_eq!(count(&ladder, "|<-486 INVITE c1") + count(&ladder, "|<-180 INVITE c1"), 1, "{ladder}");
        assert_eq!(count(&ladder, "|<-200 INVITE c1"), 1, "{ladder}");
    }
    let tags = Play::by_callee(Misbehaviour::TagChanges).stays_up().hang_up(ALICE);
    insta::assert_snapshot!(tags.ends("a second 200 under another tag", USUAL));
}

#[test]
fn a_200_after_the_487() {
    let ring = Script { answering: Some(Answering::RingOnly), ..Script::default() };
    let fault = vec![Misbehaviour::AnswerAfterRefusal];
    let mut play = Play::new(Script::default(), Script { misbehaviours: fault.clone(), ..ring });
    play.world.run_for(ms(1000));
    let play = play.hang_up(ALICE);
    insta::assert_snapshot!(play.ends("200 after the 487", [End::Cancelled; 2]));
    let busy = Answering::Reject { status: 486, after: ms(50) };
    let busy = Script { answering: Some(busy), misbehaviours: fault, ..Script::default() };
    Play::new(Script::default(), busy).ends("200 after the 486", [End::Refused(486); 2]);
}

#[test]
fn a_bye_that_is_wrong_in_one_thing_ends_nothing() {
    let wrong = [
        (Misbehaviour::LowCseq, "500 BYE"),
        (Misbehaviour::WrongCseqMethod, "400 INFO"),
        (Misbehaviour::WrongTag, "481 BYE"),
    ];
    for (fault, refusal) in wrong {
        for play in [Play::by_caller(fault), Play::by_callee(fault)] {
            let ladder = play.stays_up().hang_up(ALICE).ends("a wrong BYE", USUAL);
            assert_eq!(count(&ladder, refusal), 1, "{ladder}");
        }
    }
}

#[test]
fn re_invites_that_do_not_wait() {
    let storm = Misbehaviour::ReinviteStorm { count: 3 };
    insta::assert_snapshot!(Play::by_caller(storm).stays_up().hang_up(ALICE).ends("three re-INVITEs at once", USUAL));
    Play::by_callee(storm).stays_up().hang_up(ALICE).ends("three re-INVITEs at once", USUAL);
}

#[test]
fn a_bye_that_nobody_answers() {
    let ladder = Play::by_callee(Misbehaviour::NoByeAnswer).stays_up().hang_up(ALICE).ends("no answer to BYE", USUAL);
    assert!(ladder.contains("(again x10)"), "{ladder}");
}

#[test]
fn a_length_that_lies() {
    let play = Play::by_caller(Misbehaviour::WrongLength { by: 10 });
    let ladder = play.world_ends("a body shorter than it says", State::Over(End::Refused(400)));
    insta::assert_snapshot!(ladder);
    let mut play = Play::by_callee(Misbehaviour::WrongLength { by: 10 });
    play.world.permit(Lawful::Drops(DropReason::BrokenResponse));
    play.world.run_for(ms(1000));
    play.hang_up(ALICE).ends("a 200 shorter than it says", [End::Cancelled, End::NoAck]);
}

#[test]
fn a_body_that_is_no_sdp() {
    let by_caller = Play::by_caller(Misbehaviour::SdpGarbage);
    by_caller.ends("no SDP in the INVITE", [End::Refused(488); 2]);
    let by_callee = Play::by_callee(Misbehaviour::SdpGarbage);
    by_callee.ends("no SDP in the 200", USUAL);
}

#[test]
fn credentials_that_must_not_be_good() {
    for fault in [Misbehaviour::StaleCredentials, Misbehaviour::ReplayedCredentials] {
        let ladder = Play::by_caller(fault).stays_up().hang_up(ALICE).ends("bad credentials, then good ones", USUAL);
        assert_eq!(count(&ladder, "|<-401 INVITE c1"), 1, "{ladder}");
    }
}

#[test]
fn a_registration_that_goes_in_mid_call() {
    for play in [Play::by_caller(Misbehaviour::UnregisterInCall), Play::by_callee(Misbehaviour::UnregisterInCall)] {
        let ladder = play.stays_up().hang_up(ALICE).ends("no binding in the call", USUAL);
        assert!(ladder.contains("Expires=0") && ladder.contains("Expires=3600"), "{ladder}");
    }
}

#[test]
fn a_callee_that_only_tries() {
    let mut play = Play::by_callee(Misbehaviour::EndlessTrying { every_ms: 1000 });
    play.world.run_for(Duration::from_secs(300));
    let ladder = play.world.ladder("100 for ever");
    insta::assert_snapshot!(ladder);
    let mut play = Play::by_callee(Misbehaviour::EndlessRinging { every_ms: 10_000 });
    play.world.run_for(Duration::from_secs(300));
    let ladder = play.world.ladder("180 for ever");
    // SS_SIP_TIMEOUT_RINGING
    assert!(ladder.contains("|--CANCEL c2.1"), "{ladder}");
    assert_eq!(play.world.phone(ALICE).call_of(1).unwrap().final_status(), Some(480), "{ladder}");
}

#[test]
fn a_cancel_that_does_not_end_the_invite() {
    let ring = Script { answering: Some(Answering::RingOnly), ..Script::default() };
    let swallows = Script { misbehaviours: vec![Misbehaviour::NoFinalAfterCancel], ..ring };
    let mut play = Play::new(Script::default(), swallows);
    play.world.run_for(ms(1000));
    play.hang_up(ALICE).ends("no 487", [End::Cancelled; 2]);
}

#[test]
fn a_prack_that_never_comes() {
    let reliable = Script { reliability: Some(Reliability::Supported), ..answering(200) };
    let deaf = Script { misbehaviours: vec![Misbehaviour::NoPrack], ..reliable.clone() };
    let mut play = Play::new(deaf, Script { early_media: Some(true), ..reliable });
    play.world.run_for(Duration::from_secs(100));
    let ladder = play.world.ladder("no PRACK");
    let status = play.world.phone(ALICE).call_of(1).unwrap().final_status();
    assert!(status.is_some_and(|status| (500..600).contains(&status)), "{status:?}\n{ladder}");
    insta::assert_snapshot!(ladder);
}

/// Every fault in every role leaves the switch with nothing, and the innocent with nothing to complain of.
#[test]
fn no_fault_leaves_anything_behind() {
    for fault in Misbehaviour::EVERY {
        for by in [ALICE, BOB] {
            let mut play = if by == ALICE { Play::by_caller(fault) } else { Play::by_callee(fault) };
            play.world.permit(Lawful::Drops(DropReason::BrokenResponse));
            play.world.run_for(ms(1000));
            let mut play = play.hang_up(ALICE);
            let is_idle = play.world.run_until_idle(Duration::from_secs(300));
            let ladder = play.world.ladder(&format!("{fault:?} by {by}"));
            assert!(is_idle, "{ladder}");
            assert_eq!(play.world.violations(), [] as [String; 0], "{ladder}");
        }
    }
}

fn count(ladder: &str, what: &str) -> usize {
    ladder.lines().filter(|line| line.contains(what)).count()
}
