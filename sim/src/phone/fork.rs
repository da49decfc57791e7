//! A callee behind a forking proxy: one INVITE, answered under several To tags (RFC 3261 §12.1, §16.7), as a script.

use super::call::State;
use super::callee::Provisional;
use super::dialog::{Dialog, Spot};
use super::sdp::{Codec, Session};
use super::{End, Phone, Todo};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// One branch: a dialog of its own, with a To tag of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Branch {
    /// Where it receives audio; none: where the phone does.
    pub audio: Option<SocketAddr>,
    /// Its codecs; none: the phone's.
    pub codecs: Option<Vec<Codec>>,
    /// What it says, and when.
    pub steps: Vec<Step>,
}

/// A moment of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Counted from the INVITE.
    #[serde(rename = "after_ms", with = "crate::as_ms")]
    pub after: Duration,
    /// What is said then.
    pub reply: Reply,
}

/// What a branch says. What comes after a final answer is passed over, but for a second 2xx (RFC 3261 §16.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// 180 without a description.
    Ringing,
    /// 183 with one.
    Progress,
    /// 183 with one, reliably where the caller does RFC 3262.
    ReliableProgress,
    /// 200.
    Answer,
    /// A refusal of 300 to 699. The call is refused when every branch has.
    Refuse(u16),
}

/// A branch in play.
#[derive(Clone, Debug)]
pub(super) struct Live {
    steps: Vec<Step>,
    refused: Option<u16>,
}

impl Phone {
    /// Begins the script: a dialog for each branch.
    pub(super) fn play_branches(&mut self, number: u32, branches: Vec<Branch>) {
        for (at, branch) in branches.into_iter().enumerate() {
            let spot = Spot { call: number, dialog: at };
            if at > 0 {
                let tag = self.token();
                let call = self.find_call(number);
                let further = Dialog { local_tag: tag, ..call.dialogs[0].clone() };
                call.dialogs.push(further);
            }
            let mut wanted = self.first_description(number);
            wanted.codecs = branch.codecs.unwrap_or(wanted.codecs);
            let audio = branch.audio.unwrap_or(wanted.audio);
            wanted = Session { origin: Session::new(audio, &[]).origin, audio, ..wanted };
            if let Some(mark) = &mut wanted.mark {
                mark.push_str(&format!(".branch{at}"));
            }
            self.dialog(spot).wanted = Some(wanted);
            for (step, Step { after, .. }) in branch.steps.iter().enumerate() {
                self.later(*after, Todo::Step(spot, step));
            }
            self.find_call(number).branches.push(Live { steps: branch.steps, refused: None });
        }
    }

    pub(super) fn play_step(&mut self, spot: Spot, step: usize) {
        let call = self.find_call(spot.call);
        let (state, live) = (call.state, &mut call.branches[spot.dialog]);
        if live.refused.is_some() || matches!(state, State::Over(_) | State::Ending) {
            return;
        }
        let progress = Provisional { status: 183, has_sdp: true };
        match live.steps[step].reply {
            Reply::Ringing => self.say(spot, Provisional { status: 180, has_sdp: false }, false),
            Reply::Progress => self.say(spot, progress, false),
            Reply::ReliableProgress => self.say(spot, progress, true),
            Reply::Answer => self.answer_branch(spot),
            Reply::Refuse(status) => {
                live.refused = Some(status);
                self.refuse_where_all_did(spot.call);
            }
        }
    }

    /// The best refusal of all, as a proxy chooses it (RFC 3261 §16.7 step 6): 6xx, else the lowest.
    fn refuse_where_all_did(&mut self, number: u32) {
        let call = self.find_call(number);
        let refusals: Option<Vec<u16>> = call.branches.iter().map(|branch| branch.refused).collect();
        let of_all = call.branches.iter().filter_map(|branch| branch.refused).find(|status| *status >= 600);
        let best = of_all.or(refusals.and_then(|refusals| refusals.into_iter().min()));
        let is_waiting = call.state == State::Incoming;
        if let (true, Some(status), Some(index)) = (is_waiting, best, self.invite_of(number)) {
            self.refuse(number, index, status, End::Refused(status));
        }
    }
}
