//! `crosspoint-sim anonymise`: the switch does the same, and nothing of what was there can be read any more.

use crosspoint_core::binding::BindingRecord;
use crosspoint_core::event::Event;
use crosspoint_core::input::{Control, Flow, Input, SocketId, Transport};
use crosspoint_core::record::{Log, Player, Recorder, Replay, replay};
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::UnixMicros;
use crosspoint_sim::anonymise::{Failure, anonymise};
use crosspoint_sim::phone::{Answering, Change, Demand, Hold};
use crosspoint_sim::scenario::{self, Options, Scenario};
use crosspoint_sim::world::{SWITCH, World};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

fn number(seed: u64) -> Seed {
    Seed::from_number(seed)
}

/// Anonymises a recording and checks what always holds: it replays as identical, and every input is of the same kind, at
/// the same time, as long as before, from the same port.
fn checked(log: &[u8], key: u64, what: &str) -> Vec<u8> {
    let again = format!("{what}, --seed {key}");
    let new = anonymise(log, number(key), None).unwrap_or_else(|failure| panic!("{again}: {failure}"));
    let replayed = replay(&new, None).unwrap_or_else(|error| panic!("{again}: {error}"));
    let (old, new_log) = (Log::read(log).unwrap(), Log::read(&new).unwrap());
    let (old, new_inputs): (Vec<_>, Vec<_>) = (old.inputs().collect(), new_log.inputs().collect());
    assert_eq!(old.len(), new_inputs.len(), "{again}");
    assert!(
        matches!(replayed, Replay::Identical { inputs, .. } if inputs == old.len() as u64),
        "{again}: {replayed:?}"
    );
    for (old, new) in old.into_iter().zip(new_inputs) {
        let (old, new) = (old.unwrap(), new.unwrap());
        assert_eq!(old.now, new.now, "{again}");
        let shape = |input: &Input<'_>| match input {
            Input::Datagram { flow, bytes } => format!("datagram {} of {}", flow.remote.port(), bytes.len()),
            Input::Undelivered { flow } => format!("undelivered {}", flow.remote.port()),
            Input::Lookup(reply) => format!("lookup {:?} {:?}", reply.query, reply.message.map(<[u8]>::len)),
            Input::Ports(reply) => format!("{reply:?}"),
            Input::Media(shard, report) => format!("{shard:?} {:?}", std::mem::discriminant(report)),
            Input::Control(control) => format!("{:?}", std::mem::discriminant(control)),
            Input::Tick => "tick".to_owned(),
        };
        assert_eq!(shape(&old.input), shape(&new.input), "{again}: input {}", old.number);
    }
    new
}

/// Every run of letters and digits in the datagrams.
fn words(log: &[u8]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for recorded in Log::read(log).unwrap().inputs() {
        if let Input::Datagram { bytes, .. } = recorded.unwrap().input {
            let runs = bytes.split(|byte| !byte.is_ascii_alphanumeric());
            words.extend(runs.map(|word| String::from_utf8_lossy(word).to_ascii_lowercase()));
        }
    }
    words
}

fn holds(log: &[u8], text: &str) -> bool {
    log.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

fn assert_gone(old: &[u8], new: &[u8], secrets: &[&str], what: &str) {
    for secret in secrets {
        assert!(holds(old, secret), "{what}: the recording does not hold {secret}: nothing to hide");
        assert!(!holds(new, secret), "{what}: {secret} can still be read");
    }
}

/// The recording of a random world in which the switch is not killed: a recording is of one process.
fn recording(seed: u64, calls: u64) -> Vec<u8> {
    let options = Options { crashes: false, ..Scenario::draw(seed, calls).options };
    scenario::play_with(&Scenario::draw_with(seed, calls, options), |_| {}).into_recording()
}

#[test]
fn random_worlds_do_the_same_and_nobody_can_be_recognised() {
    for seed in 0..5 {
        let log = recording(seed, 20);
        let what = format!("crosspoint-sim run --seed {seed} --calls 20 --record");
        let new = checked(&log, 1000 + seed, &what);
        assert_gone(&log, &new, &["example.net", "secret", "10.0.0.1"], &what);
        assert!(!holds(&new, "10.0.1.10") && !holds(&new, "203.0.113.1"), "{what}: phones and their translators");
        // names of two symbols: only as whole words
        let left: Vec<String> = words(&new)
            .into_iter()
            .filter(|word| word.len() == 2 && word.starts_with('u') && word.ends_with(|c| ('0'..='7').contains(&c)))
            .collect();
        assert_eq!(left, [""; 0], "{what}");
    }
}

#[test]
fn every_named_scenario_does_the_same() {
    for (name, _) in scenario::NAMES.iter().filter(|(name, _)| *name != "random") {
        let log = scenario::run(name, 7).unwrap().into_recording();
        checked(&log, 5, name);
    }
}

const CONFIG: &str = "
[tones]
folder = \"/srv/promptstudio\"
[announcements]
busy = \"sorry-by-josephine.wav\"
[[network]]
name = \"headquarters\"
cidrs = [\"10.0.0.0/20\", \"198.51.100.0/22\"]
[[phone]]
user = \"wilhelmina\"
password = \"tulip-Garden7\"
ringback = \"carillon-of-utrecht.wav\"
[[phone]]
users = \"2001..2042\"
password = \"block-password\"
[[phone]]
user = \"heinrich\"
ha1_md5 = \"HA1\"
[[gateway]]
name = \"westerncarrier\"
direction = \"routing\"
peers = [\"gw.western.example\"]
prefixes = [\"0049\", \"+31\"]
rewrite_callee = [{ prefix = \"00\", replace = \"+\" }]
auth = { user = \"acmecorp\", password = \"trunk-Password\" }
[[gateway]]
name = \"easterncarrier\"
direction = \"both\"
peers = [\"10.0.1.105\"]
prefixes = [\"0048\"]
register = { user = \"acmeregistered\", password = \"other-Password\", domain = \"eastern.example\", required = false }
";

fn config() -> String {
    // H(heinrich:voice.acme.example:horse-Battery), by another implementation: md5sum
    let ha1 = "687d156fa90fb024077469cc1e0e9003";
    format!(
        "[switch]\ndomain = \"voice.acme.example\"\ndigest_algorithms = [\"SHA-256\", \"MD5\"]\nnameservers = \
         [\"10.0.0.53\"]\n[[listen]]\ntransport = \"udp\"\nbind = \"{SWITCH}\"\n{}",
        CONFIG.replace("HA1", ha1)
    )
}

/// Phones of an account, a block and a hash, one with a wrong password; gateways by name and by registration.
fn rich_world(seed: u64) -> World {
    let mut world = World::of_config(seed, &config());
    world.zone().set("gw.western.example", &["A 10.0.1.104"]);
    for (name, password) in [
        ("wilhelmina", "tulip-Garden7"),
        ("2001", "block-password"),
        ("2017", "block-password"),
        ("heinrich", "horse-Battery"),
    ] {
        world.add_phone(seed, name, |settings| {
            settings.password = password.to_owned();
            settings.domain = "voice.acme.example".to_owned();
            (settings.talks, settings.lines) = (false, 3);
            settings.answering = Answering::Answer { ring_after: Duration::ZERO, after: Duration::from_millis(500) };
        });
    }
    for (name, user, password) in
        [("westerncarrier", "acmecorp", "trunk-Password"), ("easterncarrier", "acmeregistered", "other-Password")]
    {
        world.add_phone(seed, name, |settings| {
            (settings.lines, settings.takes_any_number, settings.talks) = (100, true, false);
            settings.trunk.demand = Some(Demand::new(user, password));
            settings.trunk.registers_s = Some(120);
        });
    }
    world
}

/// From the journal: what the phone registers a moment later is the same binding.
fn journalled() -> BindingRecord {
    BindingRecord {
        aor: "heinrich".to_owned(),
        contact: "sip:heinrich@10.0.1.103:5060".to_owned(),
        call_id: "before@10.0.1.103".to_owned(),
        cseq: 1,
        q_permille: 1000,
        flow: Flow { socket: SocketId(0), transport: Transport::Udp, remote: "10.0.1.103:5060".parse().unwrap() },
        behind_nat: false,
        path: String::new(),
        instance: String::new(),
        reg_id: 0,
        updated_at: UnixMicros(1),
        expires_at: UnixMicros(2_000_000_000_000_000),
    }
}

fn rich_recording(seed: u64) -> Vec<u8> {
    let mut world = rich_world(seed);
    let s = Duration::from_secs;
    world.permit(crosspoint_sim::check::Lawful::RefusedCredentials);
    world.control(Control::Restore(Box::new(journalled())));
    for name in ["wilhelmina", "2001", "2017", "heinrich"] {
        world.act(name, crosspoint_sim::phone::Phone::register);
    }
    world.run_for(s(2));
    let is_refreshed = |event: &Event| matches!(event, Event::BindingChanged { change: "refreshed", binding } if binding.aor == "heinrich");
    assert!(world.events().iter().any(is_refreshed), "{:?}", world.events());
    let headers = [
        ("Subject", "about the merger with Globex"),
        ("User-Agent", "Mueller-Phone/3.1 (serial 0815-4711)"),
        ("X-Customer", "Ada Lovelace; 10.0.1.100"),
        (
            "P-Preferred-Identity",
            "\"Wilhelmina Z\u{fc}rcher\" <sip:wilhelmina@voice.acme.example>, <tel:+31-20-5550199>",
        ),
    ];
    world.act("wilhelmina", move |phone, now| {
        phone.call_with(now, "2017", &headers);
    });
    world.later(s(3), "wilhelmina", |phone, now| phone.change(now, Change::hold(Hold::Zero)));
    world.later(s(4), "wilhelmina", |phone, now| phone.send_within(now, "INFO", "Signal=5\r\nDuration=160\r\n"));
    world.later(s(5), "wilhelmina", |phone, now| phone.refer(now, "heinrich"));
    world.later(s(12), "2017", |phone, now| phone.hang_up(now));
    world.later(s(6), "2001", |phone, now| {
        phone.call(now, "0049305550123");
    });
    world.later(s(16), "2001", |phone, now| phone.hang_up(now));
    world.later(s(7), "heinrich", |phone, now| {
        phone.call(now, "0048225550456");
    });
    world.later(s(15), "heinrich", |phone, now| phone.hang_up(now));
    world.later(s(8), "westerncarrier", |phone, now| {
        phone.call(now, "wilhelmina");
    });
    world.later(s(9), "wilhelmina", |phone, now| phone.message(now, "heinrich", "meet me at the usual place"));
    world.run_for(s(20));
    // a wrong password from now on, and one who is unknown
    world.act("2001", |phone, _| phone.settings_mut().password = "forgotten-Password".to_owned());
    world.act("2017", |phone, _| phone.settings_mut().user = "stranger".to_owned());
    for name in ["2001", "2017"] {
        world.act(name, crosspoint_sim::phone::Phone::register);
    }
    world.run_for(s(2));
    let reloaded = config().replace("tulip-Garden7", "rose-Garden-11");
    let parsed = crosspoint_core::config::parse(&reloaded).unwrap_or_else(|faults| panic!("{faults}"));
    world.control(Control::Reload(Arc::new(parsed.config)));
    world.act("wilhelmina", |phone, now| {
        phone.settings_mut().password = "rose-Garden-11".to_owned();
        phone.register(now);
    });
    world.run_until_idle(s(300));
    assert!(world.status().counters["auth_accepted"] >= 8, "{:?}", world.status().counters);
    assert!(world.status().counters["auth_refused"] >= 2, "{:?}", world.status().counters);
    let records =
        world.events().iter().filter(|event| matches!(event, Event::CallEnded { record } if record.sip_status == 200));
    assert!(records.count() >= 3, "{}", world.ladder("too few calls"));
    world.into_recording()
}

#[test]
fn nothing_of_a_rich_recording_can_be_read() {
    let log = rich_recording(1);
    for key in 0..20 {
        let new = checked(&log, key, "the rich recording");
        let secrets = [
            "wilhelmina",
            "heinrich",
            "stranger",
            "acmecorp",
            "acmeregistered",
            "westerncarrier",
            "easterncarrier",
            "headquarters",
            "voice.acme",
            "western",
            "eastern",
            "tulip-Garden7",
            "rose-Garden",
            "block-password",
            "trunk-Password",
            "other-Password",
            "0049305550123",
            "49305550123",
            "48225550456",
            "20-5550199",
            "promptstudio",
            "josephine",
            "carillon",
            "merger",
            "Globex",
            "Mueller",
            "0815-4711",
            "Lovelace",
            "rcher",
            "usual place",
            "Signal",
            "10.0.0.1",
            "10.0.1.100",
            "10.0.1.101",
            "10.0.1.102",
            "10.0.1.103",
            "10.0.1.104",
            "10.0.1.105",
        ];
        assert_gone(&log, &new, &secrets, &format!("--seed {key}"));
    }
}

#[test]
fn the_same_seed_gives_the_same_and_another_one_something_else() {
    let log = rich_recording(2);
    let [first, second, other] = [3, 3, 4].map(|key| checked(&log, key, "the rich recording"));
    assert_eq!(first, second);
    assert_ne!(first, other);
}

/// Twenty callers through a gateway that is shown one of these numbers.
fn shown_as(caller_ids: &str) -> Vec<u8> {
    let text = format!(
        "[switch]\n[[listen]]\nbind = \"{SWITCH}\"\n[[gateway]]\nname = \"in\"\ndirection = \"mapping\"\npeers = \
         [\"10.0.1.100\"]\n[[gateway]]\nname = \"out\"\ndirection = \"routing\"\npeers = [\"10.0.1.101\"]\nprefixes = \
         [\"\"]\ncaller_id = {caller_ids}\n"
    );
    let mut world = World::of_config(1, &text);
    for name in ["in", "out"] {
        world.add_phone(1, name, |settings| {
            (settings.lines, settings.takes_any_number, settings.talks) = (100, true, false);
        });
    }
    for caller in 0..20 {
        world.act("in", |phone, now| {
            phone.settings_mut().user = format!("555{caller:03}");
            phone.call(now, "123");
        });
        world.run_for(Duration::from_secs(1));
    }
    world.into_recording()
}

#[test]
fn a_switch_that_would_do_something_else_is_told_by_the_input() {
    // which number is shown depends on the digits of the caller
    checked(&shown_as("[\"+111\", \"+222\", \"+333\", \"+444\"]"), 1, "numbers of one length");
    let log = shown_as("[\"1\", \"22\", \"333\", \"4444\"]");
    let Err(failure @ Failure::Differs { input: 1.., .. }) = anonymise(&log, number(1), None) else {
        panic!("it is let pass")
    };
    assert!(failure.to_string().contains("octets now has"), "{failure}");
}

#[test]
fn a_recording_that_does_not_replay_is_refused() {
    let mut log = scenario::run("call", 7).unwrap().into_recording();
    let at = log.windows(6).position(|bytes| bytes == b" BYE\r\n").unwrap();
    log[at - 1] ^= 1;
    assert!(matches!(anonymise(&log, number(1), None), Err(Failure::Diverges { input: 50, .. })));
    let cut = &log[..log.len() / 2];
    assert!(anonymise(cut, number(1), None).is_err(), "no seed");
    let new = anonymise(cut, number(1), Some(number(7))).unwrap();
    assert!(matches!(replay(&new, None), Ok(Replay::Identical { .. })));
}

#[test]
fn the_binary_writes_for_its_owner_alone_and_over_nothing() {
    let [log, new] = ["log", "new"].map(|name| {
        std::env::temp_dir().join(format!("crosspoint-anonymised-{}.{name}", std::process::id())).display().to_string()
    });
    let run = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_crosspoint-sim")).args(arguments).output().unwrap();
    assert!(run(&["run", "--seed", "9", "--calls", "5", "--record", &log]).status.success());
    let made = run(&["anonymise", &log, &new]);
    assert!(made.status.success(), "{made:?}");
    assert_eq!(std::fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(run(&["replay", &new]).status.success());
    assert_eq!(run(&["anonymise", &log, &new]).status.code(), Some(1), "it is there already");
    let bytes = [&log, &new].map(|path| std::fs::read(path).unwrap());
    assert!(words(&bytes[0]).contains("u1") && !words(&bytes[1]).contains("u1"));
    for path in [log, new] {
        std::fs::remove_file(path).unwrap();
    }
}

/// A recording in which every datagram comes once more in the end, damaged on the way.
fn damaged(log: &[u8], seed: u64) -> Vec<u8> {
    let log = Log::read(log).unwrap();
    let mut stream = Stream::new(number(seed), 1);
    let (mut out, switch_seed) = (Vec::new(), log.end.unwrap().seed);
    let mut recorder = Recorder::start(log.config.clone(), switch_seed, log.began, &mut out);
    let mut player = Player::new(log.config.clone(), switch_seed, log.began, |_| {});
    let mut play = |now, input: Input<'_>| {
        recorder.input(now, &input, player.digest(), &mut out);
        player.play(now, input, |_| {});
    };
    let inputs: Vec<_> = log.inputs().map(Result::unwrap).collect();
    for recorded in &inputs {
        play(recorded.now, recorded.input.clone());
    }
    let last = inputs.last().unwrap().now;
    for recorded in &inputs {
        if let Input::Datagram { flow, bytes } = recorded.input {
            let mut datagram = bytes.to_vec();
            for _ in 0..1 + stream.below(3) {
                let at = stream.below(datagram.len() as u64) as usize;
                match stream.below(4) {
                    0 => drop(datagram.remove(at)),
                    1 => datagram.insert(at, stream.below(256) as u8),
                    2 => datagram[at] ^= 1 << stream.below(8),
                    _ => datagram[at] = b" :;,<>\"@=%\r\n"[stream.below(12) as usize],
                }
            }
            play(last, Input::Datagram { flow, bytes: &datagram });
        }
    }
    let digest = player.digest();
    recorder.finish(digest, &mut out);
    out
}

#[test]
fn damaged_messages_are_as_damaged_afterwards() {
    for seed in 0..30 {
        let log = damaged(&recording(seed, 5), seed);
        checked(&log, seed, &format!("the damaged world {seed}"));
    }
}
