//! Digest against the vectors of the RFCs and against what real clients sent.

use crosspoint_core::auth::client::{Client, Login};
use crosspoint_core::auth::{Credentials, Hash, Secret};
use crosspoint_core::config::Config;
use crosspoint_core::sip::{Index, Scanned, scan};
use crosspoint_core::time::{Instant, Now, UnixMicros};
use crosspoint_core::{Cx, Seed};
use serde::Deserialize;
use std::sync::Arc;

mod shared;

#[derive(Deserialize)]
struct Vector {
    #[serde(default)]
    source: String,
    #[serde(default)]
    client: String,
    /// The whole header field, where one was captured.
    header: Option<String>,
    algorithm: String,
    username: String,
    realm: String,
    password: String,
    method: String,
    uri: String,
    nonce: String,
    nc: String,
    cnonce: String,
    qop: String,
    ha1: String,
    response: String,
}

impl Vector {
    fn credentials(&self) -> Credentials<'_> {
        Credentials {
            username: self.username.as_bytes(),
            realm: self.realm.as_bytes(),
            nonce: self.nonce.as_bytes(),
            uri: self.uri.as_bytes(),
            response: self.response.as_bytes(),
            cnonce: self.cnonce.as_bytes(),
            nc: self.nc.as_bytes(),
            qop: self.qop.as_bytes(),
            algorithm: self.algorithm.as_bytes(),
            opaque: b"",
        }
    }

    /// The client's answer is the one that we compute from the password.
    fn check(&self, credentials: Credentials<'_>) {
        let name = format!("{}{} {}", self.source, self.client, self.response);
        let (algorithm, session) = credentials.algorithm().expect(&name);
        assert!(!session && algorithm.name() == self.algorithm, "{name}");
        let secret = Secret::Password(self.password.clone());
        let ha1 = secret.ha1(credentials.username, &self.realm, algorithm).expect(&name);
        assert_eq!(ha1.hex().as_ref(), self.ha1.as_bytes(), "{name}");
        let answer = credentials.answer(ha1, self.method.as_bytes(), b"").expect(&name);
        assert_eq!(answer.hex().as_ref(), self.response.as_bytes(), "{name}");
        let wrong = Secret::Password(format!("{} ", self.password)).ha1(credentials.username, &self.realm, algorithm);
        assert_ne!(credentials.answer(wrong.expect(&name), self.method.as_bytes(), b""), Some(answer), "{name}");
    }
}

fn vectors(file: &str) -> Vec<Vector> {
    let found = shared::files("vectors/digest", &[file]);
    found.iter().flat_map(|(name, bytes)| serde_json::from_slice::<Vec<Vector>>(bytes).expect(name)).collect()
}

#[test]
fn the_examples_of_the_rfcs_are_reproduced() {
    for vector in vectors("rfc.json") {
        vector.check(vector.credentials());
    }
}

#[test]
fn what_real_clients_sent_is_read_and_verified() {
    for vector in vectors("captured-clients.json") {
        let header = vector.header.as_deref().expect("a captured vector has its header");
        let value = header.strip_prefix("Authorization:").expect("it is an Authorization field");
        let read = Credentials::parse(value.as_bytes()).expect(header).expect(header);
        // baresip names no algorithm, and then it is MD5
        let named = if read.algorithm.is_empty() { b"".as_slice() } else { vector.algorithm.as_bytes() };
        assert_eq!(read, Credentials { algorithm: named, ..vector.credentials() }, "{header}");
        vector.check(read);
    }
}

/// The client draws its own cnonce, so its answer is held against the one that the vector's own HA1 gives with it.
#[test]
fn our_own_client_answers_the_challenges_of_the_examples() {
    let now = Now { mono: Instant::from_micros(1), wall: UnixMicros(1) };
    let mut cx = Cx::new(Arc::new(Config::embedded("secret")), Seed::from_number(1), now);
    for vector in vectors("rfc.json").into_iter().chain(vectors("captured-clients.json")) {
        let Vector { realm, nonce, algorithm, qop, .. } = &vector;
        let challenge = format!(
            "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h\r\nWWW-Authenticate: Digest realm=\"{realm}\", \
             nonce=\"{nonce}\", algorithm={algorithm}{}\r\n\r\n",
            if qop.is_empty() { String::new() } else { format!(", qop=\"{qop}\"") }
        );
        let mut index = Index::default();
        let Ok(Scanned::Message(challenge)) = scan(challenge.as_bytes(), &mut index) else { panic!("{challenge}") };
        let login = Login { user: &vector.username, password: &vector.password };
        let mut client = Client::default();
        let lines = client
            .answer(&mut cx, &challenge, &vector.method, vector.uri.as_bytes(), b"", &login)
            .unwrap_or_else(|why| panic!("{}: {}", vector.response, why.name()));
        let value = lines.strip_prefix(b"Authorization: ").expect("one Authorization field");
        let read = Credentials::parse(value).expect("our own grammar").expect("it is Digest");
        let ha1 = Hash::from_hex(vector.ha1.as_bytes()).expect("a vector's HA1");
        let expected = read.answer(ha1, vector.method.as_bytes(), b"").expect("a known algorithm");
        assert_eq!(read.response, expected.hex().as_ref(), "{}", vector.response);
        assert_eq!((read.username, read.qop), (vector.username.as_bytes(), vector.qop.as_bytes()));
    }
}
