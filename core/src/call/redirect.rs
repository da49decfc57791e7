//! Redirections that are followed (RFC 3261 §8.1.3.4).

use super::attempt::is_live;
use super::{AttemptState, Call, Step};
use crate::event::Event;
use crate::routing::Way;
use crate::routing::failover::Failure;
use crate::routing::redirect::{self, Course};
use crate::sip::Message;

impl Call {
    /// Follows a 3xx; false where the caller is to get it.
    pub(super) fn follow(&mut self, step: &mut Step<'_>, id: u8, message: &Message<'_>, status: u16) -> bool {
        let contacts = redirect::contacts(message);
        let Some(from) = self.attempts.iter().find(|attempt| attempt.id == id).map(|attempt| &attempt.way) else {
            return false;
        };
        let failed = self.failed.iter().map(|failed| &failed.way);
        let attempts = self.attempts.iter().map(|attempt| &attempt.way);
        let ways: Vec<&Way> = failed.chain(attempts).chain(&self.ways).collect();
        let course = Course { from, ways: &ways, followed: self.redirects };
        let caller = self.calling.caller();
        let redirected = step.with_facts(|facts| redirect::follow(facts, &caller, course, status, &contacts));
        for step_taken in &redirected.steps {
            self.story.push(step_taken.to_string());
        }
        if redirected.is_passed {
            return false;
        }
        self.redirects = self.redirects.saturating_add(1);
        if redirected.ways.is_empty() {
            self.fail(step, id, Failure::DeadRedirect, status, Some(message));
            return true;
        }
        let result = format!("redirected by {status}");
        let rule = redirected.ways.first().map_or("", |way| way.rule.name());
        step.cx.emit(Event::RouteDecided { call: self.number, rule, result });
        if let Some(uses) = &mut self.uses {
            step.load.add(&redirected.uses);
            uses.phones.extend(redirected.uses.phones);
        }
        redirected.ways.into_iter().rev().for_each(|way| self.ways.push_front(way));
        let attempt = self.attempt(id).expect("looked up above");
        attempt.stop(step);
        attempt.state = AttemptState::Failed;
        self.drop_branches_of(id);
        if !is_live(&self.attempts) {
            self.advance(step);
        }
        true
    }
}
