//! The client against our own authenticator, and against challenges as others write them.

use super::*;
use crate::auth::{Algorithm, Authenticator, ChallengeCode, Outcome, Secret};
use crate::config::Config;
use crate::input::{Flow, SocketId, Transport};
use crate::rng::Seed;
use crate::sip::{Index, Scanned, scan};
use crate::time::{Instant, Now, UnixMicros};
use quickcheck::{TestResult, quickcheck};
use std::sync::Arc;
use std::time::Duration;

const REALM: &str = "example.net";
const URI: &str = "sip:example.net";
const ALICE: Login<'static> = Login { user: "alice", password: "wonderland" };

fn cx(algorithms: &[Algorithm]) -> Cx {
    let config = Config { digest_algorithms: algorithms.to_vec(), ..Config::embedded("secret") };
    let now = Now { mono: Instant::from_micros(5_000_000), wall: UnixMicros(1_700_000_000_000_000) };
    Cx::new(Arc::new(config), Seed::from_number(1), now)
}

fn with<T>(text: &[u8], use_it: impl FnOnce(&Message<'_>) -> T) -> T {
    let mut index = Index::default();
    let Ok(Scanned::Message(message)) = scan(text, &mut index) else { panic!("no message: {text:?}") };
    use_it(&message)
}

/// What the client says to a 401 or 407 with these header lines.
fn answer(client: &mut Client, cx: &mut Cx, lines: &str) -> Result<String, WhyNot> {
    let text = format!("SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h\r\n{lines}\r\n\r\n");
    let given = with(text.as_bytes(), |message| client.answer(cx, message, "REGISTER", URI.as_bytes(), b"", &ALICE));
    given.map(|lines| String::from_utf8(lines).unwrap())
}

fn again(client: &mut Client) -> Option<String> {
    let lines = client.again("REGISTER", URI.as_bytes(), b"", &ALICE);
    lines.map(|lines| String::from_utf8(lines).unwrap())
}

/// What our authenticator says to a request with these header lines.
fn judge(
    server: &mut Authenticator,
    cx: &mut Cx,
    method: &str,
    lines: &[u8],
    body: &[u8],
    login: &Login<'_>,
) -> Outcome {
    let mut text = format!("{method} {URI} SIP/2.0\r\nCall-ID: call-1\r\n").into_bytes();
    text.extend_from_slice(lines);
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(body);
    let secret = Secret::Password(login.password.to_owned());
    with(&text, |message| server.verify(cx, message, flow(), REALM, |user| (user == login.user).then_some(&secret)))
}

fn flow() -> Flow {
    let remote = "192.0.2.7:5060".parse().unwrap();
    Flow { socket: SocketId(0), transport: Transport::Udp, remote }
}

/// A client and our authenticator, which has just challenged it with these words of its challenge replaced.
fn challenged(cx: &mut Cx, replaced: (&str, &str)) -> (Authenticator, String) {
    let mut server = Authenticator::new(cx);
    let lines = server.challenge(cx, flow(), REALM, ChallengeCode::ProxyAuthenticationRequired, false);
    let lines = String::from_utf8(lines).unwrap().replace(replaced.0, replaced.1);
    (server, lines.trim_end().to_owned())
}

#[test]
fn our_authenticator_accepts_every_algorithm_and_protection() {
    for algorithm in Algorithm::ALL {
        let name = algorithm.name();
        for offer in ["", "qop=\"auth-int\"", "qop=\"auth-int, auth\"", "qop=auth", "sess"] {
            let sess = format!("{name}-sess");
            let replaced = match offer {
                "sess" => (name, sess.as_str()),
                _ => ("qop=\"auth\"", offer),
            };
            let mut cx = cx(&[algorithm]);
            let (mut server, lines) = challenged(&mut cx, replaced);
            let mut client = Client::default();
            let text = format!("SIP/2.0 407 X\r\nVia: SIP/2.0/UDP h\r\n{lines}\r\n\r\n");
            let uri = URI.as_bytes();
            let given =
                with(text.as_bytes(), |message| client.answer(&mut cx, message, "INVITE", uri, b"body", &ALICE))
                    .unwrap();
            let outcome = judge(&mut server, &mut cx, "INVITE", &given, b"body", &ALICE);
            if offer.is_empty() && algorithm != Algorithm::Md5 {
                assert_eq!(outcome, Outcome::Malformed("auth.no-qop"), "RFC 8760 §2.6");
                continue;
            }
            let accepted = Outcome::Accepted { user: "alice".to_owned() };
            assert_eq!(outcome, accepted, "{name} {offer}");
            let given = client.again("BYE", uri, b"", &ALICE).unwrap();
            let outcome = judge(&mut server, &mut cx, "BYE", &given, b"", &ALICE);
            if offer.is_empty() {
                assert!(matches!(outcome, Outcome::Challenge { stale: true, .. }), "without a count: once");
            } else {
                assert_eq!(outcome, accepted, "{name} {offer}, the second request");
            }
        }
    }
}

quickcheck! {
    fn whoever_asks_with_the_right_password_is_accepted(user: String, password: String, body: Vec<u8>) -> TestResult {
        // Line ends become blanks on the way, and an empty name is none.
        if user.is_empty() || user.contains(['\r', '\n']) {
            return TestResult::discard();
        }
        let mut cx = cx(&Algorithm::ALL);
        let (mut server, lines) = challenged(&mut cx, ("qop=\"auth\"", "qop=\"auth-int\""));
        let login = Login { user: &user, password: &password };
        let text = format!("SIP/2.0 407 X\r\nVia: SIP/2.0/UDP h\r\n{lines}\r\n\r\n");
        let mut client = Client::default();
        let given = with(text.as_bytes(), |message| {
            client.answer(&mut cx, message, "INVITE", URI.as_bytes(), &body, &login)
        });
        let given = given.expect("a challenge of ours can be answered");
        TestResult::from_bool(judge(&mut server, &mut cx, "INVITE", &given, &body, &login) == Outcome::Accepted { user })
    }
}

#[test]
fn the_strongest_algorithm_of_each_realm_is_answered_and_echoed_as_it_was_written() {
    let mut cx = cx(&[Algorithm::Md5]);
    let mut client = Client::default();
    let lines = "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", algorithm=MD5, qop=\"auth\"\r\n\
                 WWW-Authenticate: Digest realm=\"a\", nonce=\"2\", algorithm=sha-256, qop=\"auth\", opaque=\"\"\r\n\
                 WWW-Authenticate: Digest realm=\"a\", nonce=\"3\", algorithm=SHA-256-sess, qop=\"auth\"\r\n\
                 WWW-Authenticate: Digest realm=\"a\", nonce=\"4\", algorithm=SHA3-999, qop=\"auth\"\r\n\
                 WWW-Authenticate: Basic realm=\"a\"\r\n\
                 Proxy-Authenticate: Digest realm=\"p\\\"q\", nonce=\"5\"";
    let given = answer(&mut client, &mut cx, lines).unwrap();
    let mut given = given.split_inclusive("\r\n").map(|line| line.split_once("response=\"").unwrap());
    assert_eq!(
        given.next().unwrap().0,
        "Proxy-Authorization: Digest username=\"alice\", realm=\"p\\\"q\", nonce=\"5\", uri=\"sip:example.net\", "
    );
    let (before, after) = given.next().unwrap();
    assert_eq!(before, "Authorization: Digest username=\"alice\", realm=\"a\", nonce=\"2\", uri=\"sip:example.net\", ");
    assert!(
        after.contains("\", algorithm=sha-256, cnonce=\"") && after.ends_with("qop=auth, nc=00000001, opaque=\"\"\r\n")
    );
    assert!(given.next().is_none());
}

const MD5: &str = "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", qop=\"auth\"";
const MD5_NEXT: &str = "WWW-Authenticate: Digest realm=\"a\", nonce=\"2\", qop=\"auth\"";
const MD5_STALE: &str = "WWW-Authenticate: Digest realm=\"a\", nonce=\"3\", qop=\"auth\", stale=TRUE";
const PROXY: &str = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"4\", qop=\"auth\"";

#[test]
fn rejected_credentials_are_not_sent_twice() {
    let mut cx = cx(&[Algorithm::Md5]);
    for second in [MD5, MD5_NEXT] {
        let mut client = Client::default();
        assert!(answer(&mut client, &mut cx, MD5).is_ok());
        assert_eq!(answer(&mut client, &mut cx, second), Err(WhyNot::SameCredentialsRejected), "{second}");
        assert_eq!(again(&mut client), None, "nor with another request");
        assert_eq!(answer(&mut client, &mut cx, MD5_STALE), Err(WhyNot::SameCredentialsRejected));
    }
}

#[test]
fn a_stale_nonce_or_another_realm_is_no_rejection() {
    let mut cx = cx(&[Algorithm::Md5]);
    let mut client = Client::default();
    assert!(answer(&mut client, &mut cx, MD5).is_ok());
    let given = answer(&mut client, &mut cx, MD5_STALE).unwrap();
    assert!(given.contains("nonce=\"3\"") && given.contains("nc=00000001"), "{given}");
    let given = answer(&mut client, &mut cx, PROXY).unwrap();
    let (www, proxy) = given.split_once("Proxy-Authorization").unwrap();
    assert!(www.contains("nonce=\"3\"") && www.contains("nc=00000002"), "what the server asked for stays: {given}");
    assert!(proxy.contains("nonce=\"4\"") && proxy.contains("nc=00000001"), "{given}");
    assert_eq!(answer(&mut client, &mut cx, PROXY), Err(WhyNot::SameCredentialsRejected));
}

#[test]
fn a_nonce_that_served_before_has_grown_old_and_is_replaced_once() {
    let mut cx = cx(&[Algorithm::Md5]);
    let mut client = Client::default();
    assert_eq!(again(&mut client), None, "nobody has asked yet");
    let first = answer(&mut client, &mut cx, MD5).unwrap();
    let next = again(&mut client).unwrap();
    let cnonce = |lines: &str| lines.split("cnonce=\"").nth(1).unwrap()[..16].to_owned();
    assert!(next.contains("nonce=\"1\"") && next.contains("nc=00000002") && cnonce(&next) == cnonce(&first), "{next}");
    assert_eq!(answer(&mut client.clone(), &mut cx, MD5), Err(WhyNot::SameCredentialsRejected), "the very same nonce");
    let renewed = answer(&mut client, &mut cx, MD5_NEXT).unwrap();
    assert!(renewed.contains("nonce=\"2\"") && cnonce(&renewed) != cnonce(&first), "{renewed}");
    assert_eq!(answer(&mut client, &mut cx, MD5), Err(WhyNot::SameCredentialsRejected));
}

#[test]
fn the_rounds_of_one_request_are_counted() {
    let mut cx = cx(&[Algorithm::Md5]);
    let mut client = Client::default();
    for _ in 0..cx.config.parameters.auth_retry() {
        assert!(answer(&mut client, &mut cx, MD5_STALE).is_ok());
    }
    assert_eq!(answer(&mut client, &mut cx, MD5_STALE), Err(WhyNot::RoundsOver));
    assert!(again(&mut client).is_some());
    assert!(answer(&mut client, &mut cx, MD5_STALE).is_ok(), "another request begins anew");
}

#[test]
fn what_cannot_be_answered_says_why() {
    let mut cx = cx(&[Algorithm::Md5]);
    let long = format!("WWW-Authenticate: Digest realm=\"a\", nonce=\"{}\"", "1".repeat(limits::CHALLENGE_BYTES));
    for (lines, why) in [
        ("Server: x", WhyNot::NoChallenge),
        ("WWW-Authenticate: Basic realm=\"a\"", WhyNot::NoChallenge),
        ("WWW-Authenticate: Digest realm=\"a\"", WhyNot::NoChallenge),
        ("WWW-Authenticate: Digest realm=\"a, nonce=\"1\"", WhyNot::NoChallenge),
        (&long, WhyNot::NoChallenge),
        ("WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", algorithm=SHA3", WhyNot::NoUsableChallenge),
        ("WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", qop=\"token\"", WhyNot::NoUsableChallenge),
        ("WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", algorithm=MD5-sess", WhyNot::NoUsableChallenge),
    ] {
        assert_eq!(answer(&mut Client::default(), &mut cx, lines), Err(why), "{lines}");
    }
    assert_eq!(WhyNot::RoundsOver.name(), "auth.rounds-over");
}

#[test]
fn what_is_kept_is_bounded_and_survives_a_snapshot() {
    let mut cx = cx(&[Algorithm::Md5]);
    let mut client = Client::default();
    cx.now.mono = cx.now.mono + Duration::from_secs(1);
    let realms = |from: usize, count: usize| -> String {
        let line = |i| format!("WWW-Authenticate: Digest realm=\"{i}\", nonce=\"n\", qop=\"auth\"\r\n");
        (from..from + count).map(line).collect::<String>().trim_end().to_owned()
    };
    for from in 0..3 {
        let given = answer(&mut client, &mut cx, &realms(10 * from, 6)).unwrap();
        assert_eq!(given.lines().count(), limits::REALMS_PER_CLIENT);
    }
    let bytes = postcard::to_stdvec(&client).unwrap();
    let mut back: Client = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(again(&mut back), again(&mut client));
    assert_eq!(format!("{ALICE:?}"), "Login(\"alice\", …)");
}
