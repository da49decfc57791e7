//! Each machine as a table, to be read against its figure. What is not listed changes nothing and asks for nothing.

use crate::timers::TransactionTimer as Timer;
use crate::transaction::uac::ClientEvent;
use crate::transaction::uas::ServerEvent;
use crate::transaction::{client, invite_client, invite_server, server};
use std::collections::VecDeque;
use std::fmt::{Debug, Write};

const TIMERS: [Timer; 13] = [
    Timer::A,
    Timer::B,
    Timer::D,
    Timer::E,
    Timer::F,
    Timer::G,
    Timer::H,
    Timer::I,
    Timer::J,
    Timer::K,
    Timer::L,
    Timer::M,
    Timer::Trying,
];

fn client_events() -> Vec<ClientEvent> {
    use ClientEvent::*;
    let timers = TIMERS.into_iter().map(Fired);
    [Provisional, Success, Failure, Cancel, Undelivered].into_iter().chain(timers).collect()
}

fn server_events() -> Vec<ServerEvent> {
    use ServerEvent::*;
    let timers = TIMERS.into_iter().map(Fired);
    [Request, Ack, Provisional, Success, Failure, Challenge, RequestTimeout, Acknowledged]
        .into_iter()
        .chain(timers)
        .collect()
}

/// Every state that can be reached from the first one, and what every event does there.
fn table<S, E, A>(start: (S, &[A]), events: &[E], on: impl Fn(S, E) -> (S, &'static [A])) -> String
where
    S: Copy + PartialEq + Debug,
    E: Copy + Debug,
    A: Debug + 'static,
{
    let mut text = format!("start -> {:?} {:?}\n", start.0, start.1);
    let mut seen = vec![start.0];
    let mut next_up = VecDeque::from([start.0]);
    while let Some(state) = next_up.pop_front() {
        writeln!(text, "{state:?}").unwrap();
        for event in events {
            let (next, actions) = on(state, *event);
            if !seen.contains(&next) {
                seen.push(next);
                next_up.push_back(next);
            }
            if next != state || !actions.is_empty() {
                writeln!(text, "  {:<16} -> {:<12} {actions:?}", format!("{event:?}"), format!("{next:?}")).unwrap();
            }
        }
    }
    text
}

#[test]
fn invite_client_is_rfc_6026_8_4_with_cancel() {
    use invite_client::State;
    insta::assert_snapshot!(table(State::START, &client_events(), State::on));
}

#[test]
fn client_is_rfc_3261_figure_6() {
    use client::State;
    insta::assert_snapshot!(table(State::START, &client_events(), State::on));
}

#[test]
fn invite_server_is_rfc_6026_8_7_with_resent_2xx() {
    use invite_server::State;
    insta::assert_snapshot!(table(State::START, &server_events(), State::on));
}

#[test]
fn server_is_rfc_3261_figure_8_with_rfc_4320() {
    use server::State;
    insta::assert_snapshot!(table(State::START, &server_events(), State::on));
}
