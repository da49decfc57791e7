//! The authenticator against a client that knows nothing of it but the RFC.

use super::*;
use crate::config::Config;
use crate::cx::Cx;
use crate::input::{Flow, SocketId, Transport};
use crate::rng::Seed;
use crate::sip::{Index, Scanned, scan};
use crate::time::{Instant, Now, UnixMicros};
use quickcheck::{TestResult, quickcheck};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const REALM: &str = "example.net";

/// A switch's authenticator and the world around it.
struct World {
    cx: Cx,
    authenticator: Authenticator,
    flow: Flow,
}

impl World {
    fn new(algorithms: &[Algorithm]) -> World {
        let config = Config { digest_algorithms: algorithms.to_vec(), ..Config::embedded("secret") };
        let now = Now { mono: Instant::from_micros(5_000_000), wall: UnixMicros(1_700_000_000_000_000) };
        let mut cx = Cx::new(Arc::new(config), Seed::from_number(1), now);
        let authenticator = Authenticator::new(&mut cx);
        let remote = "192.0.2.7:5060".parse().unwrap();
        World { cx, authenticator, flow: Flow { socket: SocketId(0), transport: Transport::Udp, remote } }
    }

    fn md5() -> World {
        World::new(&[Algorithm::Md5])
    }

    /// The nonce of a new challenge.
    fn nonce(&mut self) -> String {
        let code = ChallengeCode::Unauthorized;
        let lines = self.authenticator.challenge(&mut self.cx, self.flow, REALM, code, false);
        let lines = String::from_utf8(lines).unwrap();
        lines.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    fn ask(&mut self, header: &str) -> Outcome {
        let source = self.flow.remote.ip();
        self.ask_from(source, &[header.as_bytes()])
    }

    fn ask_from(&mut self, source: IpAddr, headers: &[&[u8]]) -> Outcome {
        let alice = Secret::Password("wonderland".to_owned());
        self.ask_of(source, headers, |user| (user == "alice").then_some(&alice))
    }

    fn ask_of<'s>(
        &mut self,
        source: IpAddr,
        headers: &[&[u8]],
        lookup: impl FnOnce(&str) -> Option<&'s Secret>,
    ) -> Outcome {
        let mut datagram = b"REGISTER sip:example.net SIP/2.0\r\nCall-ID: call-1\r\n".to_vec();
        for (header, name) in headers.iter().zip(["Authorization: ", "proxy-authorization:"].iter().cycle()) {
            datagram.extend_from_slice(&[name.as_bytes(), header, b"\r\n"].concat());
        }
        datagram.extend_from_slice(b"Content-Length: 4\r\n\r\nbody");
        let mut index = Index::default();
        let Ok(Scanned::Message(message)) = scan(&datagram, &mut index) else { return Outcome::Malformed("unread") };
        let flow = Flow { remote: SocketAddr::new(source, 5060), ..self.flow };
        self.authenticator.verify(&mut self.cx, &message, flow, REALM, lookup)
    }

    fn wait(&mut self, ms: u64) {
        self.cx.now.mono = self.cx.now.mono + Duration::from_millis(ms);
    }
}

/// A client as RFC 7616 §3.4 describes it.
#[derive(Clone)]
struct Client {
    algorithm: Algorithm,
    session: bool,
    user: String,
    password: String,
    nonce: String,
    uri: String,
    cnonce: String,
    count: u32,
    qop: &'static str,
    body: &'static str,
}

fn alice(nonce: &str) -> Client {
    Client {
        algorithm: Algorithm::Md5,
        session: false,
        user: "alice".to_owned(),
        password: "wonderland".to_owned(),
        nonce: nonce.to_owned(),
        uri: "sip:example.net".to_owned(),
        cnonce: "0a4f113b".to_owned(),
        count: 1,
        qop: "auth",
        body: "body",
    }
}

impl Client {
    fn header(&self) -> String {
        let h = |text: String| {
            let hash = self.algorithm.hash(&[text.as_bytes()]);
            hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let Client { user, nonce, uri, cnonce, count, qop, .. } = self;
        let mut ha1 = h(format!("{user}:{REALM}:{}", self.password));
        if self.session {
            ha1 = h(format!("{ha1}:{nonce}:{cnonce}"));
        }
        let ha2 = match *qop {
            "auth-int" => h(format!("REGISTER:{uri}:{}", h(self.body.to_owned()))),
            _ => h(format!("REGISTER:{uri}")),
        };
        let (response, protection) = match *qop {
            "" => (h(format!("{ha1}:{nonce}:{ha2}")), String::new()),
            _ => (
                h(format!("{ha1}:{nonce}:{count:08x}:{cnonce}:{qop}:{ha2}")),
                format!(", qop={qop}, nc={count:08x}, cnonce=\"{cnonce}\""),
            ),
        };
        let sess = if self.session { "-sess" } else { "" };
        format!(
            "Digest username=\"{user}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm={}{sess}{protection}",
            self.algorithm.name()
        )
    }
}

fn accepted() -> Outcome {
    Outcome::Accepted { user: "alice".to_owned() }
}

fn stale(rule: &'static str) -> Outcome {
    Outcome::Challenge { stale: true, rule }
}

#[test]
fn every_algorithm_and_protection_is_accepted_from_its_owner() {
    for algorithm in Algorithm::ALL {
        for (qop, session) in [("auth", false), ("auth-int", false), ("auth", true), ("auth-int", true)] {
            let mut world = World::new(&Algorithm::ALL);
            let client = Client { algorithm, session, qop, ..alice(&world.nonce()) };
            assert_eq!(world.ask(&client.header()), accepted(), "{algorithm:?} {qop} {session}");
        }
    }
}

#[test]
fn auth_int_protects_the_body() {
    let mut world = World::md5();
    let client = Client { qop: "auth-int", body: "another body", ..alice(&world.nonce()) };
    let refused = Outcome::Refused { user: "alice".to_owned(), rule: "auth.wrong-response", again: true };
    assert_eq!(world.ask(&client.header()), refused);
}

#[test]
fn a_client_without_qop_may_use_a_nonce_once_and_with_md5_alone() {
    let mut world = World::new(&Algorithm::ALL);
    let client = Client { qop: "", ..alice(&world.nonce()) };
    assert_eq!(world.ask(&client.header()), accepted());
    assert_eq!(world.ask(&client.header()), stale("auth.nonce-replayed"));
    let client = Client { qop: "", algorithm: Algorithm::Sha256, ..alice(&world.nonce()) };
    assert_eq!(world.ask(&client.header()), Outcome::Malformed("auth.no-qop"));
}

#[test]
fn a_count_is_accepted_once_and_later_ones_after_it() {
    let mut world = World::md5();
    let mut client = alice(&world.nonce());
    for (count, expected) in [
        (1, accepted()),
        (1, stale("auth.nonce-replayed")),
        (10, accepted()),
        (9, accepted()),
        (9, stale("auth.nonce-replayed")),
        (u32::MAX, accepted()),
        (10, stale("auth.nonce-replayed")),
    ] {
        client.count = count;
        assert_eq!(world.ask(&client.header()), expected, "{count}");
    }
}

#[test]
fn a_wrong_answer_does_not_use_the_nonce_up() {
    let mut world = World::md5();
    let client = alice(&world.nonce());
    let wrong = Client { password: "looking-glass".to_owned(), ..client.clone() };
    assert!(matches!(world.ask(&wrong.header()), Outcome::Refused { rule: "auth.wrong-response", .. }));
    assert_eq!(world.ask(&client.header()), accepted());
}

#[test]
fn a_late_answer_and_an_expired_nonce_are_stale() {
    let mut world = World::md5();
    let late = alice(&world.nonce());
    world.wait(10_001);
    assert_eq!(world.ask(&late.header()), stale("auth.answered-late"));
    let mut client = alice(&world.nonce());
    assert_eq!(world.ask(&client.header()), accepted());
    world.wait(299_000);
    client.count = 2;
    assert_eq!(world.ask(&client.header()), accepted());
    world.wait(1_001);
    client.count = 3;
    assert_eq!(world.ask(&client.header()), stale("auth.nonce-expired"));
}

#[test]
fn a_nonce_given_to_another_source_counts_as_no_attempt() {
    let mut world = World::md5();
    let client = Client { password: "guess".to_owned(), ..alice(&world.nonce()) };
    let elsewhere = "192.0.2.8".parse().unwrap();
    assert_eq!(world.ask_from(elsewhere, &[client.header().as_bytes()]), stale("auth.foreign-nonce"));
    assert_eq!(world.cx.counters.auth_refused, 0);
}

#[test]
fn unknown_users_are_refused_as_wrong_passwords_are() {
    let mut world = World::md5();
    let client = Client { user: "mallory".to_owned(), ..alice(&world.nonce()) };
    let refused = Outcome::Refused { user: "mallory".to_owned(), rule: "auth.unknown-user", again: true };
    assert_eq!(world.ask(&client.header()), refused);
    // even one who guesses what nobody's password is
    let client = Client { password: "nobody".to_owned(), ..client };
    assert_eq!(world.ask(&client.header()), refused);
}

#[test]
fn a_stored_hash_serves_its_algorithm_and_no_other() {
    let ha1 = |algorithm| Secret::Password("wonderland".to_owned()).ha1(b"alice", REALM, algorithm).unwrap();
    let md5 = Some(ha1(Algorithm::Md5).as_bytes().try_into().unwrap());
    let stored = Secret::Ha1 { md5, sha256: None };
    let mut world = World::new(&Algorithm::ALL);
    for (algorithm, right) in [(Algorithm::Md5, true), (Algorithm::Sha256, false), (Algorithm::Sha512_256, false)] {
        let header = Client { algorithm, ..alice(&world.nonce()) }.header();
        let source = world.flow.remote.ip();
        let outcome = world.ask_of(source, &[header.as_bytes()], |_| Some(&stored));
        match outcome {
            Outcome::Accepted { .. } => assert!(right),
            Outcome::Refused { rule: "auth.no-hash-for-algorithm", .. } => assert!(!right),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn six_challenges_then_no_more_for_this_call_id() {
    let mut world = World::md5();
    let source = world.flow.remote.ip();
    // another request each time: one that is sent again is no round of its own
    let mut ask = |n: u32| world.ask_from(source, &[format!("NoOneKnowsThisScheme data={n}").as_bytes()]);
    for n in 0..6 {
        assert!(matches!(ask(n), Outcome::Challenge { stale: false, .. }));
        assert!(matches!(ask(n), Outcome::Challenge { stale: false, .. }));
    }
    assert_eq!(ask(6), Outcome::Exhausted);
    let wrong = Client { password: "guess".to_owned(), ..alice(&world.nonce()) };
    assert!(matches!(world.ask(&wrong.header()), Outcome::Refused { again: false, .. }));
    let right = alice(&world.nonce());
    assert_eq!(world.ask(&right.header()), accepted(), "the right password is never too late");
    assert!(matches!(world.ask_from(world.flow.remote.ip(), &[]), Outcome::Challenge { .. }));
    assert_eq!(world.authenticator.remembered(), (1, 1));
}

#[test]
fn credentials_for_other_realms_and_schemes_are_passed_over() {
    let mut world = World::md5();
    let ours = alice(&world.nonce()).header();
    let older = alice("dcd98b7102dd2f0e8b11d0f600bfb0c093").header();
    let theirs = ours.replace(REALM, "example.org");
    let source = world.flow.remote.ip();
    let none = Outcome::Challenge { stale: false, rule: "auth.no-credentials" };
    assert_eq!(world.ask_from(source, &[theirs.as_bytes(), b"NoOneKnowsThisScheme opaque-data=here"]), none);
    assert_eq!(
        world.ask_from(source, &[older.as_bytes(), b"Digest =", theirs.as_bytes(), ours.as_bytes()]),
        accepted()
    );
}

#[test]
fn an_algorithm_that_policy_forbids_is_challenged_again() {
    let mut world = World::new(&[Algorithm::Sha256]);
    let client = alice(&world.nonce());
    let expected = Outcome::Challenge { stale: false, rule: "auth.algorithm-not-offered" };
    assert_eq!(world.ask(&client.header()), expected);
}

#[test]
fn a_challenge_has_one_field_for_each_algorithm_in_the_order_of_the_policy() {
    let mut world = World::new(&[Algorithm::Sha512_256, Algorithm::Md5]);
    let code = ChallengeCode::ProxyAuthenticationRequired;
    let lines = world.authenticator.challenge(&mut world.cx, world.flow, REALM, code, true);
    insta::assert_snapshot!(String::from_utf8(lines).unwrap(), @r#"
    Proxy-Authenticate: Digest realm="example.net", nonce="4y03rZdiOkfAAAAiTAAAAA", algorithm=SHA-512-256, qop="auth", stale=true
    Proxy-Authenticate: Digest realm="example.net", nonce="4y03rZdiOkfAAAAiTAAAAA", algorithm=MD5, qop="auth", stale=true
    "#);
    assert_eq!(world.cx.counters.challenges, 1);
}

#[test]
fn what_cannot_be_judged_is_malformed_with_its_reason() {
    let mut world = World::md5();
    let good = alice(&world.nonce()).header();
    for (from, to, reason) in [
        ("username=\"alice\", ", "", "auth.no-username"),
        ("uri=\"sip:example.net\", ", "", "auth.no-uri"),
        ("nc=00000001", "nc=1", "auth.nonce-count"),
        ("nc=00000001", "nc=0000000g", "auth.nonce-count"),
        (", cnonce=\"0a4f113b\"", "", "auth.no-cnonce"),
        ("qop=auth", "qop=conf", "auth.unknown-qop"),
        ("response=\"", "response=\"0", "auth.response-length"),
        ("cnonce=\"0a4f113b\"", "cnonce=\"0a4f113b", "auth.open-quote"),
        ("username=\"alice\",", "username=\"alice\", username=\"bob\",", "auth.parameter-twice"),
        ("username=\"alice\",", "username,", "auth.parameter-without-value"),
        ("username=\"alice\",", "username=,", "auth.parameter-without-value"),
        ("username=\"alice\",", "username=\"alice\"", "auth.parameter-without-comma"),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(world.ask(&good.replace(from, to)), Outcome::Malformed(reason), "{from} -> {to}");
    }
    assert_eq!(world.ask(&good), accepted());
}

#[test]
fn odd_spellings_of_good_credentials_are_read() {
    for (from, to) in [
        (", ", ","),
        (", ", " ,\r\n\t"),
        (", ", ", ,, "),
        ("=", " = "),
        ("Digest", "dIGEST"),
        ("qop=auth", "qop=\"auth\""),
        ("algorithm=MD5", "algorithm=\"md5\""),
        ("algorithm=MD5, ", ""),
        ("nc=00000001", "nc=\"00000001\""),
        ("realm=", "x-unknown=\"a, b=\\\"c\", realm="),
    ] {
        let mut world = World::md5();
        let header = alice(&world.nonce()).header();
        assert!(header.contains(from), "{from}");
        assert_eq!(world.ask(&header.replace(from, to)), accepted(), "{from} -> {to}");
    }
}

#[test]
fn a_snapshot_knows_its_nonces() {
    let mut world = World::md5();
    let mut client = alice(&world.nonce());
    assert_eq!(world.ask(&client.header()), accepted());
    let bytes = postcard::to_stdvec(&world.authenticator).unwrap();
    world.authenticator = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(world.ask(&client.header()), stale("auth.nonce-replayed"));
    client.count = 2;
    assert_eq!(world.ask(&client.header()), accepted());
    let printed = format!("{:?}", world.authenticator);
    assert!(
        printed.starts_with("Authenticator { mint: Mint(..)") && printed.ends_with("rounds: Rounds(0) }"),
        "{printed}"
    );
}

quickcheck! {
    fn any_client_that_computes_its_digest_is_accepted(which: u8, session: bool, uri: u64, cnonce: u64, count: u32) -> bool {
        let mut world = World::new(&Algorithm::ALL);
        let mut client = Client {
            algorithm: Algorithm::ALL[usize::from(which) % 3],
            session,
            qop: if which & 128 == 0 { "auth" } else { "auth-int" },
            uri: format!("sip:{uri}@example.net;transport=udp"),
            cnonce: format!("{cnonce:x}"),
            count,
            ..alice(&world.nonce())
        };
        let good = world.ask(&client.header()) == accepted();
        client.password.push('x');
        client.count = count ^ 1;
        good && world.ask(&client.header()) != accepted()
    }

    fn no_changed_bit_is_accepted(bit: usize) -> TestResult {
        let mut world = World::md5();
        let header = alice(&world.nonce()).header();
        let mut bytes = header.clone().into_bytes();
        let bit = bit % (8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        let source = world.flow.remote.ip();
        // names of parameters, the scheme, hexadecimal answers and the algorithm are read in either case, and what
        // stands between parameters says nothing; all else is under the hash
        let same = Credentials::parse(&bytes).ok().flatten().is_some_and(|changed| {
            let good = Credentials::parse(header.as_bytes()).unwrap().unwrap();
            Credentials { response: b"", algorithm: b"", ..changed } == Credentials { response: b"", algorithm: b"", ..good }
                && changed.response.eq_ignore_ascii_case(good.response)
                && changed.algorithm() == good.algorithm()
        });
        if same {
            return TestResult::discard();
        }
        TestResult::from_bool(world.ask_from(source, &[&bytes]) != accepted())
    }

    fn arbitrary_values_never_panic(value: Vec<u8>, cut: usize, junk: Vec<u8>) -> bool {
        let mut world = World::md5();
        let source = world.flow.remote.ip();
        let mut bytes = alice(&world.nonce()).header().into_bytes();
        bytes.truncate(cut % bytes.len());
        bytes.extend_from_slice(&junk);
        let digest = [b"Digest ".as_slice(), &value].concat();
        let headers: [&[u8]; 3] = [&value, &digest, &bytes];
        !matches!(world.ask_from(source, &headers), Outcome::Accepted { .. })
    }
}
