//! How a flow is written down: who takes part, and line by line who says which printed message and what must come out.
//!
//! ```text
//! alice F1 > alice F3, bob F4     alice sends the printed F1; the switch answers with F3 and sends F4 to bob
//! bob =486 Busy Here > bob =ACK   a message the RFC does not print: `=` and its first line
//! bob #041                        the printed message number 41, where the RFC gives it no label
//! bob F1+                         F1 once more, after the switch's challenge
//! bob F3!                         with the wrong password
//! wait 33s > alice =408 INVITE    time passes
//! ep1 #003 | Path: <sip:ep1;lr>   with a header that the RFC lets one imagine
//! bob =200 OK + s2.1-002          with a printed session description; so in what is heard
//! bob =200 OK + sdp               with a session description of ours; so in what is heard
//! bob =180 > west =183 + relay    with a session description that leads to the switch
//! west =NOTIFY + sipfrag #001     with the first line of a printed message as its body, or what else stands there
//! bob =BYE@1                      in the first of its dialogs; without that in the one printed, or the last
//! west =INVITE sip:x | Replaces: {replaces bob 2}   as bob would write of his second dialog; {replaces% bob 2} escaped
//! west =PRACK | RAck: {rack}      of the last reliable answer
//! west =BYE | To: {early 1}       in the first early dialog of its INVITE
//! ```
//! What the switch sends is compared per hearer in order. `=STATUS METHOD` and `=METHOD` also name what only our switch
//! sends: the RFC's proxy passes a BYE's 200 on, a back-to-back user agent answers it at once.

use std::time::Duration;

/// One of those whom the switch talks to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    /// The name in the script.
    pub(crate) name: &'static str,
    /// The user part of its addresses.
    pub(crate) user: &'static str,
    /// Where the switch sees it.
    pub(crate) address: &'static str,
    /// What it is to the switch.
    pub(crate) kind: Kind,
}

/// What somebody is to the switch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A phone with a password. It registers this Contact before the flow begins, unless that is empty.
    Phone(&'static str),
    /// A neighbour known by its address, which brings calls in and takes these prefixes.
    Gateway(&'static [&'static str]),
}

/// A phone.
pub(crate) const fn phone(name: &'static str, address: &'static str, contact: &'static str) -> Person {
    Person { name, user: name, address, kind: Kind::Phone(contact) }
}

/// A proxy through which this user's phone, which is not in the picture, speaks with the switch.
pub(crate) const fn edge(name: &'static str, address: &'static str, user: &'static str) -> Person {
    Person { name, user, address, kind: Kind::Phone("") }
}

/// One of several phones of this user.
pub(crate) const fn one_of(
    name: &'static str,
    address: &'static str,
    user: &'static str,
    contact: &'static str,
) -> Person {
    Person { name, user, address, kind: Kind::Phone(contact) }
}

/// A gateway.
pub(crate) const fn gateway(name: &'static str, address: &'static str, prefixes: &'static [&'static str]) -> Person {
    Person { name, user: name, address, kind: Kind::Gateway(prefixes) }
}

/// A message flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    /// The section of the RFC, as in the file names: `s3.1`. The snapshot's name too.
    pub(crate) section: &'static str,
    /// What tells it from another flow of the section.
    pub(crate) variant: &'static str,
    /// What it shows, and whom the switch stands for.
    pub(crate) about: &'static str,
    /// The switch's domain.
    pub(crate) domain: &'static str,
    /// Who takes part, as they stand in the ladder around the switch: the first to the left of it.
    pub(crate) people: &'a [Person],
    /// The lines.
    pub(crate) script: &'a str,
    /// Printed messages that are not played, and why: `F2 F5: between the two proxies`, one reason a line.
    pub(crate) passed_over: &'static str,
    /// Who must hear which words, in any message.
    pub(crate) told: &'a [(&'a str, &'a str)],
    /// Who must not hear which words.
    pub(crate) hidden: &'a [(&'a str, &'a str)],
    /// Whether the RFC's proxies stay between the far side and the switch: its Record-Route is played as printed.
    pub(crate) keeps_routes: bool,
    /// What the configuration says of every phone besides; empty: media is direct.
    pub(crate) phones: &'a str,
    /// Further tables of the configuration.
    pub(crate) tables: &'a str,
    /// What the call's record must say: status, reason and by whom; empty: it is not looked at.
    pub(crate) ends: &'a str,
}

impl Flow<'_> {
    /// What most flows have in common, for `..Flow::EMPTY`.
    pub(crate) const EMPTY: Flow<'static> = Flow {
        section: "",
        variant: "",
        about: "",
        domain: "",
        people: &[],
        script: "",
        passed_over: "",
        told: &[],
        hidden: &[],
        keeps_routes: false,
        phones: "",
        tables: "",
        ends: "",
    };

    /// The lines of the script.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Step> {
        self.script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).map(Step::read)
    }

    /// Every reference to a printed message, played, expected or passed over.
    pub(crate) fn references(&self) -> Vec<String> {
        let mut found: Vec<String> = self.references_passed_over().map(str::to_owned).collect();
        for step in self.steps() {
            let said = if let Begin::Says(said) = step.begin { Some(said) } else { None };
            for said in step.heard.into_iter().chain(said) {
                let fragment = said.body.as_ref().and_then(|body| body.strip_prefix("sipfrag #"));
                found.extend(fragment.map(|number| format!("#{number}")));
                found.push(said.what);
            }
        }
        found.retain(|reference| !reference.starts_with('='));
        found
    }

    /// References of printed messages that this flow passes over.
    fn references_passed_over(&self) -> impl Iterator<Item = &'static str> {
        let lines = self.passed_over.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.flat_map(|line| line.split_once(':').expect("`F1 F2: reason`").0.split_whitespace())
    }
}

/// A message by its name in the script, and who says or hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Who.
    pub(crate) who: String,
    /// `F1`, `#041` or `=200 BYE`.
    pub(crate) what: String,
    /// What stands right behind it.
    pub(crate) mark: Mark,
    /// Header lines.
    pub(crate) lines: Vec<String>,
    /// The reference of a session description, or `sipfrag` and what is in it.
    pub(crate) body: Option<String>,
    /// Which of the speaker's dialogs it is in, from 1.
    pub(crate) dialog: Option<usize>,
}

/// How a message is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// As it is.
    Plain,
    /// `+`: after a challenge, once more.
    Again,
    /// `!`: with the wrong password.
    Wrong,
}

/// What begins a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Somebody sends something.
    Says(Said),
    /// Nobody does.
    Wait(Duration),
}

/// One line of a script.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The line itself.
    pub(crate) line: String,
    /// What begins it.
    pub(crate) begin: Begin,
    /// What the switch then sends.
    pub(crate) heard: Vec<Said>,
}

impl Step {
    fn read(line: &str) -> Step {
        let (begin, heard) = line.split_once(" > ").unwrap_or((line, ""));
        let heard = heard.split(',').map(str::trim).filter(|said| !said.is_empty()).map(Said::read).collect();
        let begin = match begin.trim().strip_prefix("wait ") {
            Some(time) => {
                let seconds = time.trim().strip_suffix('s').and_then(|seconds| seconds.parse().ok());
                Begin::Wait(Duration::from_secs(seconds.unwrap_or_else(|| panic!("`wait 33s`, not {line:?}"))))
            }
            None => Begin::Says(Said::read(begin.trim())),
        };
        Step { line: line.to_owned(), begin, heard }
    }
}

impl Said {
    fn read(text: &str) -> Said {
        let (text, body) = match text.split_once(" + ") {
            Some((text, body)) => (text, Some(body.trim().to_owned())),
            None => (text, None),
        };
        let mut parts = text.split(" | ").map(str::trim);
        let first = parts.next().unwrap_or_default();
        let (who, what) = first.split_once(' ').unwrap_or_else(|| panic!("`who what`, not {text:?}"));
        let (what, mark) = match (what.strip_suffix('+'), what.strip_suffix('!')) {
            (Some(what), _) => (what, Mark::Again),
            (_, Some(what)) => (what, Mark::Wrong),
            _ => (what, Mark::Plain),
        };
        let numbered = what.rsplit_once('@').and_then(|(what, number)| Some((what, number.parse().ok()?)));
        let (what, dialog) = numbered.map_or((what, None), |(what, number)| (what, Some(number)));
        let lines = parts.map(str::to_owned).collect();
        Said { who: who.to_owned(), what: what.trim().to_owned(), mark, lines, body, dialog }
    }
}

#[test]
fn lines_are_read() {
    let step = Step::read("bob =486 Busy Here > bob =ACK, alice F10");
    let said = |who: &str, what: &str| Said::read(&format!("{who} {what}"));
    assert_eq!(step.begin, Begin::Says(said("bob", "=486 Busy Here")));
    assert_eq!(step.heard, [said("bob", "=ACK"), said("alice", "F10")]);
    let step = Step::read("ep1 #003+ | Path: <sip:ep1;lr> | X: 1 + s2.1-001");
    let Begin::Says(Said { who, what, mark, lines, body, .. }) = step.begin else { panic!("{:?}", step.begin) };
    assert_eq!((&*who, &*what, mark, body.as_deref()), ("ep1", "#003", Mark::Again, Some("s2.1-001")));
    assert_eq!(lines, ["Path: <sip:ep1;lr>", "X: 1"]);
    let Begin::Says(said) = Step::read("bob =BYE@1").begin else { panic!("somebody says it") };
    assert_eq!((&*said.what, said.dialog), ("=BYE", Some(1)));
    assert_eq!(Step::read("wait 33s").begin, Begin::Wait(Duration::from_secs(33)));
}
