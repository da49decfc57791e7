//! Offers and answers as printed (RFC 4317, RFC 3264 and others), one after the other through the switch.

use crate::print::Prints;
use crate::script::{Flow, gateway, phone};
use crate::stage;

/// How the bodies travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The offerer calls: offer in INVITE, answer in 200; later ones in re-INVITEs.
    Early,
    /// The same with the answer in 183 already.
    Provisional,
    /// The answerer calls: offer in 200, answer in ACK; later ones in re-INVITEs without a body.
    Delayed,
    /// The offerer calls; later offers in UPDATE.
    Update,
    /// The offerer calls; the answer in a reliable 183 (RFC 3262).
    Reliable,
}

impl Way {
    const ALL: [Way; 5] = [Way::Early, Way::Provisional, Way::Delayed, Way::Update, Way::Reliable];
}

/// A session: the references of offer, answer, second offer, second answer and so on, and who makes each offer.
struct Session {
    name: String,
    references: Vec<String>,
    /// Of each offer: whether the first offerer makes it.
    by_first: Vec<bool>,
}

impl Session {
    fn new(name: &str, references: &[String], prints: &Prints) -> Session {
        let origin = |reference: &String| {
            let text = prints.sdp(reference);
            let line = text.lines().find(|line| line.starts_with("o=")).expect("a description has an origin");
            line.split(' ').next().expect("an origin has a user").to_owned()
        };
        let first = origin(&references[0]);
        let by_first = references.chunks(2).map(|pair| origin(&pair[0]) == first).collect();
        Session { name: name.to_owned(), references: references.to_vec(), by_first }
    }

    /// Plays it; the first offerer is alice.
    fn play(&self, way: Way, prints: &Prints) -> String {
        let [caller, callee] = if way == Way::Delayed { ["bob", "alice"] } else { ["alice", "bob"] };
        let mut script = self.first(way);
        for (i, pair) in self.references.chunks(2).enumerate().skip(1) {
            let offerer = if self.by_first[i] { "alice" } else { "bob" };
            let other = if self.by_first[i] { "bob" } else { "alice" };
            let (offer, answer) = (&pair[0], &pair[1]);
            script.push_str(&match way {
                Way::Early | Way::Provisional | Way::Reliable => format!(
                    "{offerer} =INVITE + {offer} > {offerer} =100 INVITE, {other} =INVITE + {offer}\n\
                     {other} =200 OK + {answer} > {offerer} =200 INVITE + {answer}\n\
                     {offerer} =ACK > {other} =ACK\n"
                ),
                Way::Update => format!(
                    "{offerer} =UPDATE + {offer} > {other} =UPDATE + {offer}\n\
                     {other} =200 OK + {answer} > {offerer} =200 UPDATE + {answer}\n"
                ),
                Way::Delayed => format!(
                    "{other} =INVITE > {other} =100 INVITE, {offerer} =INVITE\n\
                     {offerer} =200 OK + {offer} > {other} =200 INVITE + {offer}\n\
                     {other} =ACK + {answer} > {offerer} =ACK + {answer}\n"
                ),
            });
        }
        script.push_str("bob =BYE > bob =200 BYE, alice =BYE\nalice =200 OK\n");
        let address = |name| if name == "alice" { "192.0.2.101" } else { "192.0.2.201" };
        let contact = if callee == "bob" { "sip:bob@192.0.2.201" } else { "sip:alice@192.0.2.101" };
        let people = [gateway(caller, address(caller), &[]), phone(callee, address(callee), contact)];
        let flow = Flow { domain: "example.net", people: &people, script: &script, ..Flow::EMPTY };
        stage::play(&flow, prints, &format!("{}, {way:?}", self.name))
    }

    fn first(&self, way: Way) -> String {
        let (offer, answer) = (&self.references[0], &self.references[1]);
        match way {
            Way::Early | Way::Update => format!(
                "alice =INVITE sip:bob@example.net + {offer} > alice =100 INVITE, bob =INVITE + {offer}\n\
                 bob =200 OK + {answer} > alice =200 INVITE + {answer}\n\
                 alice =ACK > bob =ACK\n"
            ),
            Way::Provisional => format!(
                "alice =INVITE sip:bob@example.net + {offer} > alice =100 INVITE, bob =INVITE + {offer}\n\
                 bob =183 Session Progress + {answer} > alice =183 INVITE + {answer}\n\
                 bob =200 OK + {answer} > alice =200 INVITE + {answer}\n\
                 alice =ACK > bob =ACK\n"
            ),
            Way::Reliable => format!(
                "alice =INVITE sip:bob@example.net | Supported: 100rel + {offer} > \
                     alice =100 INVITE, bob =INVITE + {offer}\n\
                 bob =183 Session Progress | Require: 100rel | RSeq: 77 + {answer} > alice =183 INVITE + {answer}\n\
                 alice =PRACK | RAck: {{rack}} > bob =PRACK\n\
                 bob =200 OK to PRACK > alice =200 PRACK\n\
                 bob =200 OK to INVITE > alice =200 INVITE\n\
                 alice =ACK > bob =ACK\n"
            ),
            Way::Delayed => format!(
                "bob =INVITE sip:alice@example.net > bob =100 INVITE, alice =INVITE\n\
                 alice =200 OK + {offer} > bob =200 INVITE + {offer}\n\
                 bob =ACK + {answer} > alice =ACK + {answer}\n"
            ),
        }
    }
}

/// The sessions of an RFC whose sections print offer and answer in turn.
fn sessions(prints: &Prints) -> Vec<Session> {
    let mut sections: Vec<(&str, Vec<String>)> = Vec::new();
    for name in prints.names() {
        let mut parts = name.split('-');
        let (section, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let reference = format!("{section}-{number}");
        match sections.last_mut().filter(|(last, _)| *last == section) {
            Some((_, references)) => references.push(reference),
            None => sections.push((section, vec![reference])),
        }
    }
    // one alone is no exchange
    let of_two = sections.into_iter().filter(|(_, references)| references.len() % 2 == 0);
    of_two.map(|(section, references)| Session::new(section, &references, prints)).collect()
}

fn play_all(rfc: &str, least: usize) {
    let prints = Prints::of_sdp(rfc);
    if prints.is_empty() {
        return;
    }
    let sessions = sessions(&prints);
    assert!(sessions.len() >= least, "{} sessions of {rfc}", sessions.len());
    for session in sessions {
        for way in Way::ALL {
            let ladder = session.play(way, &prints);
            if session.name == "s2.5" || session.name == "s10.1" {
                insta::assert_snapshot!(format!("{rfc}-{}-{way:?}", session.name), ladder);
            }
        }
    }
}

#[test]
fn rfc4317() {
    play_all("rfc4317", 16);
}

#[test]
fn rfc3264() {
    play_all("rfc3264", 2);
}

/// Offers with keys and fingerprints: RFC 4568 §7.1.5, RFC 5763 §7.1 and §7.2.
#[test]
fn keys_and_fingerprints() {
    for (rfc, references) in [
        ("rfc4568", ["s7.1.5-002", "s7.1.5-003"]),
        ("rfc5763", ["s7.1-001", "s7.1-003"]),
        ("rfc5763", ["s7.2-004", "s7.2-006"]),
    ] {
        let prints = Prints::of_sdp(rfc);
        if prints.is_empty() {
            return;
        }
        let session = Session::new(rfc, &references.map(str::to_owned), &prints);
        for way in Way::ALL {
            session.play(way, &prints);
        }
    }
}

/// RFC 3264 §9: what somebody can do, in the answer to OPTIONS.
#[test]
fn capabilities() {
    let prints = Prints::of_sdp("rfc3264");
    if prints.is_empty() {
        return;
    }
    let flow = Flow {
        domain: "example.net",
        people: &[gateway("alice", "192.0.2.101", &[]), phone("carol", "192.0.2.40", "sip:carol@192.0.2.40")],
        script: "
            alice =OPTIONS sip:carol@example.net > carol =OPTIONS
            carol =200 OK + s9-001 > alice =200 OPTIONS + s9-001
        ",
        ..Flow::EMPTY
    };
    insta::assert_snapshot!("rfc3264-s9", stage::play(&flow, &prints, "rfc3264-s9: capabilities"));
}
