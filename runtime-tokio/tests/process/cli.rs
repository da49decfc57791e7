//! The command line of the real binary: exit codes, streams, signals, a state directory held by one switch at a time.

use crate::serving::{BINARY, CONFIG, Serving, code, path, run, stderr, stdout};
use std::io::Write;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn wrong_usage_is_2_and_says_how() {
    for args in [&["fly"][..], &["run", "--bogus"], &["hangup"], &["hangup", "x"], &["params", "--format", "yaml"]] {
        let output = run(args);
        assert_eq!((code(&output), stdout(&output)), (2, ""), "{args:?}");
        assert!(stderr(&output).contains("--help"), "{}", stderr(&output));
    }
}

#[test]
fn version_and_help_are_results() {
    let output = run(&["--version"]);
    assert_eq!(code(&output), 0);
    assert_eq!(stdout(&output), concat!("crosspoint-tokio ", env!("CARGO_PKG_VERSION"), "\n"));
    let output = run(&["--help"]);
    assert_eq!(code(&output), 0);
    for command in
        ["run", "demo", "check", "params", "status", "calls", "ports", "registrations", "hangup", "reload", "cdr"]
    {
        assert!(stdout(&output).contains(command), "{command}");
    }
}

#[test]
fn what_needs_a_running_switch_fails_without_one() {
    let dir = tempfile::tempdir().unwrap();
    let state_dir = dir.path().to_str().unwrap();
    for command in
        [&["status"][..], &["calls"], &["ports"], &["registrations"], &["hangup", "1"], &["reload"], &["drain"]]
    {
        let output = run(&[command, &["--state-dir", state_dir]].concat());
        assert_eq!((code(&output), stdout(&output)), (1, ""), "{command:?}");
        assert!(stderr(&output).contains("no switch runs in"), "{}", stderr(&output));
    }
}

#[test]
fn check_points_at_the_fault() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(&["check", "--config", file.to_str().unwrap()])
    };
    assert_eq!(code(&check(CONFIG)), 0);
    let output = check("[[listen]]\ntransport = \"udp\"\nbnd = \"127.0.0.1:5060\"\n");
    assert_eq!(code(&output), 1);
    let expected = format!("{}:3:1: error: unknown key `bnd`", file.display());
    assert!(stdout(&output).contains(&expected), "{}", stdout(&output));
    assert!(stdout(&output).contains("^^^"));
    let output = run(&["check", "--config", "/nonexistent/config.toml"]);
    assert_eq!((code(&output), stdout(&output)), (1, ""));
}

#[test]
fn firewall_prints_rules_that_a_shell_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    std::fs::write(&file, "[[listen]]\ntransport = \"udp\"\nbind = \"192.0.2.1:5060\"\n").unwrap();
    for (format, command) in [("nft", "nft insert rule "), ("iptables", "iptables -I INPUT ")] {
        let output = run(&["firewall", "--format", format, "--config", path(&file)]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let rules: Vec<&str> = stdout(&output).lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(rules.len(), 3, "SIP and two ranges of media: {rules:?}");
        assert!(rules.iter().all(|rule| rule.starts_with(command)), "{rules:?}");
    }
}

#[test]
fn params_lists_every_parameter_in_every_format() {
    let json: serde_json::Value = serde_json::from_slice(&run(&["params", "--format", "json"]).stdout).unwrap();
    let names: Vec<&str> = json.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.len() > 60, "{}", names.len());
    for format in ["table", "markdown"] {
        let output = run(&["params", "--format", format]);
        assert_eq!(code(&output), 0);
        assert!(names.iter().all(|name| stdout(&output).contains(name)), "{format}");
    }
}

#[test]
fn a_parameter_list_of_vos3000_is_imported() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("parameters.txt");
    let import = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(&["params", "--import", path(&file)])
    };
    let output = import("SS_SIP_TIMEOUT_RINGING=60\r\nSS_FOO=1\r\n");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(stdout(&output), "[parameters]\nSS_SIP_TIMEOUT_RINGING = \"60\"\n# SS_FOO = \"1\"\n");
    assert!(stderr(&output).contains(":2:1: warning: unknown parameter `SS_FOO`"), "{}", stderr(&output));
    let output = import("SS_SIP_TIMEOUT_RINGING=x\n");
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains(":1:24: error: "), "{}", stderr(&output));
}

#[test]
fn a_route_is_explained_offline_and_by_a_running_switch() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    let gateways = "[[gateway]]\nname = \"west\"\ndirection = \"routing\"\npeers = [\"192.0.2.1\"]\nprefixes = [\"00\"]\n\
                    [[gateway]]\nname = \"east\"\ndirection = \"routing\"\npeers = [\"192.0.2.2\"]\nprefixes = [\"0044\"]\n";
    std::fs::write(&file, format!("{CONFIG}{gateways}")).unwrap();
    let explain =
        |more: &[&str]| run(&[&["explain", "route", "--caller", "1001", "--callee", "004930"], more].concat());
    let output = explain(&["--config", path(&file)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let expected = "call from phone 1001 (1001) to 004930\n\n  west  taken    prefix `00`, priority 0, 0 calls (route.prefix)\n  \
                    east  dropped  `0044` (route.other-prefix)\n\n  1. gateway west at 192.0.2.1:5060: calls 004930, shows 1001\n";
    assert!(stdout(&output).starts_with(expected), "{}", stdout(&output));
    let json: serde_json::Value = serde_json::from_slice(&explain(&["--json"]).stdout).unwrap();
    assert_eq!((&json["refused"], &json["steps"][0]["rule"]), (&404.into(), &"route.none".into()));
    let output = run(&["explain", "route", "--caller", "nobody", "--callee", "1", "--config", path(&file)]);
    assert_eq!((code(&output), stdout(&output)), (1, ""));
    assert!(stderr(&output).contains("there is no phone and no gateway `nobody`"), "{}", stderr(&output));
    let serving = Serving::new(CONFIG);
    let state_dir = serving.state_dir();
    let output = run(&["explain", "route", "--caller", "1001", "--callee", "1001", "--state-dir", path(&state_dir)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("refused: 480 Temporarily Unavailable"), "{}", stdout(&output));
    serving.ask(&["drain"]);
    assert_eq!(serving.wait(), Some(0));
}

#[test]
fn a_media_decision_is_explained_offline_and_by_a_running_switch() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    let more = "[[network]]\nname = \"lan\"\ncidrs = [\"10.0.0.0/8\"]\n[[gateway]]\nname = \"west\"\ndirection = \
                \"routing\"\npeers = [\"192.0.2.1\"]\nprefixes = [\"00\"]\n";
    std::fs::write(&file, format!("{CONFIG}{more}")).unwrap();
    let explain = |more: &[&str]| run(&[&["explain", "media", "--caller", "1001"], more].concat());
    let output = explain(&["--callee", "west", "--caller-source", "10.1.2.3", "--config", path(&file)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let expected =
        "S6  yes  the caller is in `lan` at 10.1.2.3, the callee in `default` at 192.0.2.1\nmedia: relay (S6)\n";
    assert!(stdout(&output).contains(expected), "{}", stdout(&output));
    let nat = ["--caller-nat", "--caller-source", "192.0.2.9", "--json"];
    let json = explain(&[&["--callee", "west", "--config", path(&file)], &nat[..]].concat());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["media"], &json["rule"]), (&"relay".into(), &"S7".into()));
    let output = explain(&["--callee", "wst", "--config", path(&file)]);
    assert!(stderr(&output).contains("there is no phone and no gateway `wst`, did you mean `west`?"));
    let serving = Serving::new(CONFIG);
    let state_dir = serving.state_dir();
    let output = explain(&["--callee", "1001", "--state-dir", path(&state_dir)]);
    assert!(
        stdout(&output).contains("S8  yes  nothing asks for the relay\nmedia: direct (S8)\n"),
        "{}",
        stdout(&output)
    );
    serving.ask(&["drain"]);
    assert_eq!(serving.wait(), Some(0));
}

#[test]
fn a_running_switch_answers_and_drains() {
    let serving = Serving::new(CONFIG);
    let output = serving.ask(&["status", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&status["calls"], &status["is_draining"]), (&0.into(), &false.into()));
    assert_eq!(status["process"]["sockets"][0]["address"], serving.address.as_str());
    for command in ["calls", "registrations"] {
        let output = serving.ask(&[command, "--json"]);
        assert_eq!((code(&output), stdout(&output)), (0, "[]\n"), "{command}");
    }
    assert_eq!(code(&serving.ask(&["hangup", "1"])), 1);
    assert_eq!(code(&serving.ask(&["cdr", "list"])), 0);
    assert_eq!(code(&serving.ask(&["cdr", "show", "1"])), 1);
    assert_eq!(code(&serving.ask(&["drain"])), 0);
    let state_dir = serving.state_dir();
    assert_eq!(serving.wait(), Some(0));
    assert!(!state_dir.join("admin.sock").exists());
}

#[test]
fn it_answers_sip() {
    let serving = Serving::new(CONFIG);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let local = socket.local_addr().unwrap();
    let options = format!(
        "OPTIONS sip:example.net SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKtest;rport\r\n\
         From: <sip:probe@example.net>;tag=a\r\nTo: <sip:example.net>\r\nCall-ID: probe@{local}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(options.as_bytes(), &serving.address).unwrap();
    let mut answer = [0; 2048];
    let length = socket.recv(&mut answer).unwrap();
    assert!(answer[..length].starts_with(b"SIP/2.0 200 "), "{}", String::from_utf8_lossy(&answer[..length]));
    serving.signal("-TERM");
    assert_eq!(serving.wait(), Some(0));
}

#[test]
fn a_second_switch_is_kept_out_of_the_state_directory() {
    let serving = Serving::new(CONFIG);
    let state_dir = serving.state_dir();
    let config = serving.dir().join("config.toml");
    let args = ["run", "--config", path(&config), "--state-dir", path(&state_dir)];
    let output = run(&args);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("another switch runs in"), "{}", stderr(&output));
    serving.signal("-INT");
    assert_eq!(serving.wait(), Some(0));
}

/// A supervisor may stop it as soon as it has read "ready". Here nobody reads, so that it cannot get beyond saying so.
#[test]
fn it_hears_the_signals_before_it_says_that_it_is_ready() {
    const INTERRUPT_AND_TERMINATE: u64 = 1 << 1 | 1 << 14;
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let (mut stdout, reader) = UnixStream::pair().unwrap();
    stdout.set_nonblocking(true).unwrap();
    while stdout.write(b"\n").is_ok() {}
    stdout.set_nonblocking(false).unwrap();
    let mut child = Command::new(BINARY)
        .args(["run", "--config", path(&config), "--state-dir", path(&dir.path().join("state"))])
        .stdout(Stdio::from(OwnedFd::from(stdout)))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let until = Instant::now() + Duration::from_secs(10);
    let is_heard = loop {
        let text = std::fs::read_to_string(&status).unwrap();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
        if caught & INTERRUPT_AND_TERMINATE == INTERRUPT_AND_TERMINATE || Instant::now() > until {
            break Instant::now() <= until;
        }
        std::thread::yield_now();
    };
    child.kill().unwrap();
    child.wait().unwrap();
    drop(reader);
    assert!(is_heard, "it waits until it is read and hears no signal");
}

#[test]
fn an_address_in_use_is_said() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    let text = CONFIG.replace("127.0.0.1:0", &taken.local_addr().unwrap().to_string());
    std::fs::write(&config, text).unwrap();
    let output = run(&["run", "--config", path(&config), "--state-dir", path(&dir.path().join("state"))]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("cannot listen on 127.0.0.1:"), "{}", stderr(&output));
}

#[test]
fn a_reload_takes_what_is_right_and_refuses_what_is_wrong() {
    let serving = Serving::new(CONFIG);
    let config = serving.dir().join("config.toml");
    let changed = CONFIG.replace("secret", "changed") + "[parameters]\nSS_RTP_PORT_RANGE = \"20000,29999\"\n";
    std::fs::write(&config, changed).unwrap();
    let waits = "SS_RTP_PORT_RANGE: 10000,39999 -> 20000,29999 (needs a restart)\n";
    for told in [
        format!("configuration 2 in force\nphones: changed 1001\n{waits}"),
        format!("configuration 3 in force\n{waits}"),
    ] {
        let output = serving.ask(&["reload"]);
        assert_eq!((code(&output), stdout(&output)), (0, told.as_str()), "{}", stderr(&output));
    }
    std::fs::write(&config, "[swich]\n").unwrap();
    let output = serving.ask(&["reload"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("did you mean `switch`?"), "{}", stderr(&output));
    serving.until_status("config_generation", 3);
    std::fs::write(&config, CONFIG).unwrap();
    serving.signal("-HUP");
    serving.until_status("config_generation", 4);
    serving.ask(&["drain"]);
    assert_eq!(serving.wait(), Some(0));
}

#[test]
fn the_demonstration_shows_a_whole_call() {
    let output = run(&["demo"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for shown in ["INVITE", "challenge", "credentials", "media decision: direct", "end_reason           normal"] {
        assert!(stdout(&output).contains(shown), "{shown} is missing:\n{}", stdout(&output));
    }
}
