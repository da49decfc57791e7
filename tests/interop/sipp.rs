//! SIPp registers phones and calls them, everything with digest.

use crate::{folder, turn};
use crosspoint_core::record::{Replay, replay};
use crosspoint_core::rng::Seed;
use crosspoint_sim::anonymise::anonymise;
use crosspoint_tests::ports::{free_udp_port, wait_until_bound};
use crosspoint_tests::process::installed;
use crosspoint_tests::sipp::Sipp;
use crosspoint_tests::switch::{DOMAIN, PASSWORD, Switch};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Phones that register and call each other.
const PHONES: usize = 200;
/// Calls in all.
const CALLS: usize = 2_000;
/// Calls begun each second.
const CALLS_PER_SECOND: usize = 200;

fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("interop/scenarios/{name}.xml"))
}

/// Which phone calls which, with the caller's credentials, as the scenarios read them.
fn injected(folder: &Path, name: &str, columns: impl Fn(&str, &str) -> String) -> String {
    let mut lines = "SEQUENTIAL\n".to_owned();
    for n in 0..PHONES {
        let user = format!("u{n:05}");
        let credentials = format!("[authentication username={user} password={PASSWORD}]");
        writeln!(lines, "{}", columns(&user, &credentials)).expect("a String takes all");
    }
    let path = folder.join(name);
    std::fs::write(&path, lines).expect("the test's folder can be written");
    path.display().to_string()
}

#[test]
fn two_thousand_authenticated_calls_and_not_one_fails() {
    let _turn = turn();
    if !installed(&["sipp"]) {
        return;
    }
    let folder = folder("sipp");
    let mut switch = Switch::start(&folder);
    let callee_port = free_udp_port();
    let phones = injected(&folder, "phones.csv", |user, credentials| format!("{user};{credentials}"));
    let (callee, every) = (callee_port.to_string(), PHONES.to_string());
    let arguments = ["-key", "contact_port", &callee, "-inf", &phones, "-r", "200", "-m", &every, "-l", "500"];
    Sipp::start(&folder, &scenario("register"), switch.port, free_udp_port(), &arguments).wait_for_success(PHONES);

    let (rate, most) = (CALLS_PER_SECOND.to_string(), CALLS.to_string());
    let mut callee = Sipp::start(&folder, &scenario("callee"), switch.port, callee_port, &["-m", &most]);
    wait_until_bound(callee_port);
    let calls = injected(&folder, "calls.csv", |user, credentials| {
        let n: usize = user[1..].parse().expect("u and digits");
        format!("{user};{credentials};u{:05}", (n * 7 + 13) % PHONES)
    });
    let arguments = ["-inf", &calls, "-r", &rate, "-m", &most, "-l", "2000", "-d", "100"];
    let mut caller = Sipp::start(&folder, &scenario("caller"), switch.port, free_udp_port(), &arguments);
    caller.wait_for_success(CALLS);
    callee.wait_for_success(CALLS);

    // a call's transactions and timers outlive it by at most 64*T1 = 32 s (RFC 3261 §17)
    switch.wait_for_zero(&["calls", "transactions"], Duration::from_secs(45));
    switch.stop();
    assert_eq!(switch.records().len(), CALLS, "one CDR for each call");
    replays_and_can_be_given_away(&switch.recording());
}

/// What the server recorded happens again without it, and with other names and secrets too.
fn replays_and_can_be_given_away(recording: &[u8]) {
    let replayed = replay(recording, None).expect("the recording is whole");
    let Replay::Identical { inputs, digest } = replayed else { panic!("{replayed:?}") };
    println!("{inputs} inputs, digest {digest:016x}");
    let given = anonymise(recording, Seed::from_number(1), None).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(matches!(replay(&given, None), Ok(Replay::Identical { inputs: again, .. }) if again == inputs));
    let holds = |text: &str| given.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()));
    // with what stands around them: the switch draws its branches and tags by chance, and has drawn a "p9sipp2f"
    for secret in ["u00007@", "\"u00007\"", DOMAIN, PASSWORD, "/sipp/"] {
        assert!(!holds(secret), "{secret} can still be read");
    }
}
