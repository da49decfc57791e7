use super::*;
use crate::auth::{Algorithm, Secret};
use crate::params::MediaProxy;
use std::time::Duration;

/// The example of interface.md, as far as this build serves it.
const EXAMPLE: &str = include_str!("../../tests/data/example.toml");

fn render(text: &str) -> String {
    parse(text).map_or_else(|faults| faults.render("crosspoint.toml", text), |parsed| format!("{parsed:#?}"))
}

/// The findings without those places, one a line.
fn lines(text: &str) -> String {
    match parse(text) {
        Ok(parsed) => parsed.warnings.iter().map(|finding| format!("{finding}\n")).collect(),
        Err(faults) => format!("{faults}\n"),
    }
}

#[test]
fn the_example_of_the_interface() {
    let parsed = parse(EXAMPLE).unwrap_or_else(|faults| panic!("{}", faults.render("example.toml", EXAMPLE)));
    insta::assert_snapshot!(lines(EXAMPLE));
    insta::assert_debug_snapshot!(parsed.config);
}

#[test]
fn nothing_written_is_loopback() {
    let parsed = parse("").expect("an empty file is a configuration");
    let embedded = Config::embedded("x");
    assert_eq!(parsed.config, Config { phones: Phones::default(), tones: Tones::default(), ..embedded });
    insta::assert_snapshot!(lines(""), @"1:1: warning: no [[listen]]: only 127.0.0.1:5060 is served, over UDP (no-listen)");
}

#[test]
fn faults_are_shown_where_they_are() {
    insta::assert_snapshot!(render(
        r#"[switch]
domain = "example net"
state-dir = "/var/lib/crosspoint"

[parameters]
SS_RTP_PORTRANGE = "10000,39999"
SS_SIP_RESEND_INTERVAL = "0.05,1"
SERVER_BILLING_HOLD_TIME_PRECISION = 1000

[[listen]]
transport = "tcp"
bind = "0.0.0.0:5060"

[[phone]]
user = "1001"
pasword = "x"
media_proxy = 7
"#
    ));
}

#[test]
fn nameservers_are_addresses() {
    let parsed = parse("[switch]\nnameservers = [\"192.0.2.53\", \"[2001:db8::53]:5353\", \"2001:db8::54\"]\n");
    let servers = parsed.expect("addresses").config.nameservers;
    let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["192.0.2.53:53", "[2001:db8::53]:5353", "[2001:db8::54]:53"]);
    insta::assert_snapshot!(lines(
        "listen = []\n[switch]\nnameservers = [\"ns.example.net\", \"0.0.0.0\", \"192.0.2.53:0\", \"192.0.2.53\"]\n"
    ));
}

#[test]
fn a_text_that_is_no_toml_is_shown_where_it_breaks() {
    insta::assert_snapshot!(render("[switch]\ndomain = example.net\n[[listen]\nbind = \"127.0.0.1:5060\"\n"));
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(lines(
        r#"
listen = 5060
[switch]
domain = 1
media_shards = 0
media_batch_us = 5001
digest_algorithms = ["SHA256", "MD5", "md5"]
presets = ["session-trunks"]
[parameters]
SS_QOS_SIGNAL = 2020-01-01
SS_SIP_RESEND_INTERVAL = [0.5, [1]]
[phone]
user = "1"
[[gateway]]
name = "g"
direction = "route"
peers = "192.0.2.1"
priority = "high"
rewrite_callee = { prefix = "0", replace = "" }
"#
    ));
}

#[test]
fn phones_are_checked() {
    insta::assert_snapshot!(lines(
        r#"
[[listen]]
bind = "127.0.0.1:5060"
[[phone]]
user = "1001"
password = "a"
[[phone]]
user = "1001"
password = "a"
[[phone]]
users = "u00..u10"
password = "a"
[[phone]]
users = "u10..u20"
password = "a"
[[phone]]
users = "v1..v2"
ha1_md5 = "939e7578ed9e3c518a452acee763bce9"
[[phone]]
user = "both"
password = "a"
ha1_sha256 = "939e7578ed9e3c518a452acee763bce9"
[[phone]]
user = "short"
ha1_sha256 = "939e7578ed9e3c518a452acee763bce9"
[[phone]]
user = "a b"
users = "c1..c2"
[[phone]]
password = "a"
[[phone]]
user = "none"
"#
    ));
}

#[test]
fn gateways_are_checked() {
    insta::assert_snapshot!(lines(
        r#"
[[listen]]
bind = "127.0.0.1:5060"
[[gateway]]
name = "a"
direction = "mapping"
peers = ["192.0.2.1", "sip.example.net", "192.0.2.9:0", "sip.example.net:0", "192.0.2.256", "sip example"]
[[gateway]]
name = "a"
direction = "both"
peers = ["192.0.2.1"]
auth = { user = "u", password = "p" }
[[gateway]]
name = "c"
direction = "routing"
peers = []
auth = { register = { user = "u" } }
prefixes = ["0 1", ""]
[[gateway]]
direction = "routing"
peers = ["192.0.2.2"]
auth = "digest"
register = { user = "u", password = "p" }
prefixes = []
rewrite_callee = [{ prefix = "0" }, { prefix = "0", replace = "1", prefx = "" }]
"#
    ));
}

#[test]
fn what_gateways_say_about_routing_is_checked() {
    insta::assert_snapshot!(lines(
        r#"
[switch]
max_calls = -1
[[listen]]
bind = "127.0.0.1:5060"
[[group]]
name = "europe"
order = "prioritty"
[[group]]
name = "europe"
[[group]]
name = "in"
[[gateway]]
name = "out"
direction = "routing"
peers = ["192.0.2.1"]
prefixes = ["0", { prefix = "0", mode = "kontinue" }, { mode = "continue" }, 7]
group = "europ"
capacity = 2
reserved = { europe = 2, inn = 1 }
callee_digits = "11-8"
caller_digits = "many"
caller_id = ["+1", ""]
rewrite_caller = [{ prefix = "0", replace = "" }, { prefix = "0", replace = "1" }]
max_duration_s = -2
timeout_ringing_s = 4000
failover = { limit = 0, next = [503, 200], stop = [503], after_ringing = true }
redirect = "folow"
in = { callee_alow = [] }
[[gateway]]
name = "in"
direction = "mapping"
peers = ["192.0.2.2"]
reserved = { europe = 1 }
rewrite_callee = []
caller_id = "passthrough"
"#
    ));
}

#[test]
fn oddities_are_warned_of() {
    insta::assert_snapshot!(lines(
        r#"
[switch]
presets = ["lockout-strict"]
[parameters]
SS_MEDIAPROXYMODE = "Off"
SS_AUTHENTICATION_MAX_RETRY = 0
SS_QOS_SIGNAL = 0xb9
SS_QOS_RTP = "EF"
SS_RTP_PORT_RANGE = "10000,39999"
IVR_RTP_PORT = "39999,41000"
SS_SIP_NAT_KEEP_ALIVE_PERIOD = 30
[[listen]]
bind = "127.0.0.1:5060"
network = "ofice"
[[network]]
name = "office"
cidrs = ["10.0.0.0/8"]
[[phone]]
user = "1"
ha1_md5 = "939e7578ed9e3c518a452acee763bce9"
media_proxy = "Must On"
local_ring = true
encryption = false
"#
    ));
}

#[test]
fn a_session_that_is_refreshed_too_late_is_refused() {
    insta::assert_snapshot!(
        lines("[parameters]\nSS_SIP_SESSION_TTL = 500\n[[listen]]\nbind = \"127.0.0.1:5060\"\n"),
        @"
    2:1: error: sessions of 500 s (SS_SIP_SESSION_TTL) would be refreshed every 300 s (SS_SIP_SESSION_UPDATE_SEGMENT 300); at most half, 250 s, is allowed (session-interval)
    2:1: warning: SS_SIP_SESSION_TTL = 500 is accepted, not yet acted on (not-acted-on)
    "
    );
}

#[test]
fn global_on_conflicts_with_off() {
    let text = "[parameters]\nSS_MEDIAPROXYMODE = \"On\"\n[[phone]]\nuser = \"1\"\npassword = \"x\"\nmedia_proxy = 2\n";
    let parsed = parse(text).expect("warnings only");
    let ids: Vec<&str> = parsed.warnings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["no-listen", "media-conflict"]);
}

#[test]
fn a_hundred_thousand_phones_in_a_block_cost_nothing() {
    let text = "[[phone]]\nusers = \"u00000..u99999\"\npassword = \"x\"\n";
    let parsed = parse(text).expect("it is valid");
    assert_eq!(parsed.config.phones.len(), 100_000);
    let snapshot = postcard::to_allocvec(&parsed.config).expect("plain data");
    assert!(snapshot.len() < 1024, "{} octets", snapshot.len());
    assert_eq!(postcard::from_bytes::<Config>(&snapshot), Ok(parsed.config));
}

#[test]
fn phones_keep_what_is_written() {
    let parsed = parse(EXAMPLE).expect("it is valid");
    let phone = parsed.config.phones.find("1001").expect("it is there");
    assert_eq!(phone.secret, &Secret::Password("secret".to_owned()));
    assert_eq!((phone.caller_id, phone.media_proxy), (Some("5551001"), MediaProxy::Auto));
    assert_eq!(parsed.config.digest_algorithms, [Algorithm::Md5]);
    assert_eq!(parsed.config.parameters.timeout_ringing(), Duration::from_secs(60));
}

#[test]
fn passwords_are_not_in_debug_texts() {
    let text = "[[phone]]\nuser = \"1\"\npassword = \"swordfish\"\n[[gateway]]\nname = \"g\"\ndirection = \"routing\"\n\
                peers = [\"192.0.2.1\"]\nauth = { user = \"u\", password = \"swordfish\" }\n";
    let parsed = parse(text).expect("it is valid");
    assert!(!format!("{:?}", parsed.config).contains("swordfish"));
}

/// What remains of the example when one thing in it is changed: a cut, a doubled piece, an odd octet.
fn mutated(at: usize, length: usize, with: u8) -> String {
    let mut octets = EXAMPLE.as_bytes().to_vec();
    let at = at % octets.len();
    let end = (at + length % 64).min(octets.len());
    octets.splice(at..end, [with]);
    String::from_utf8_lossy(&octets).into_owned()
}

quickcheck::quickcheck! {
    fn any_text_is_parsed_or_refused(text: String) -> bool {
        parse(&text).is_ok_and(|parsed| parsed.warnings.iter().all(|finding| finding.level == Level::Warning))
            || parse(&text).is_err_and(|faults| faults.has_errors())
    }

    fn a_damaged_file_is_parsed_or_refused(at: usize, length: usize, with: u8) -> bool {
        let text = mutated(at, length, with);
        match parse(&text) {
            Ok(parsed) => parsed.warnings.iter().all(|finding| !finding.render("f", &text).is_empty()),
            Err(faults) => faults.has_errors() && !faults.render("f", &text).is_empty(),
        }
    }
}

#[test]
fn a_gateway_is_watched_registered_at_and_known_by_its_credentials() {
    let gateway = |more: &str| format!("[[gateway]]\nname = \"a\"\ndirection = \"mapping\"\n{more}\n");
    let digest = "auth = { user = \"u\", password = \"p\" }";
    let register = "peers = [\"192.0.2.1\"]\nregister = { user = \"u\", password = \"p\", domain = \"x.example\", required = true }";
    let parsed =
        parse(&gateway(&format!("{register}\nping_s = 5\nping_fails = 1\nping_oks = 1"))).expect("it is valid");
    let known = &parsed.config.gateways.list()[0];
    assert!(known.needs_registration() && !known.is_challenged());
    assert_eq!(known.ping, crate::config::Ping { every_s: 5, fails: 1, oks: 1 });
    parse(&gateway(digest)).expect("known by digest alone");
    let phone = "[[phone]]\nuser = \"u\"\npassword = \"x\"\n";
    for (text, fault) in [
        (gateway(""), "needs `peers`"),
        (gateway(digest).replace("mapping", "both"), "needs `peers`"),
        (format!("{phone}{}", gateway(digest)), "a phone has the user `u` too"),
        (gateway(digest) + &gateway(digest).replace("\"a\"", "\"b\""), "gateway `a` has the user `u` too"),
        (gateway("auth = { user = \"\", password = \"p\" }"), "`user` must not be empty"),
        (gateway(&format!("{digest}\nping_fails = 0")), "`ping_fails` must be a whole number from 1 to 100"),
        (gateway(&register.replace("x.example", "x y")), "`domain` must be a host name"),
    ] {
        let faults = parse(&text).expect_err(fault).to_string();
        assert!(faults.contains(fault), "{faults}");
    }
}
