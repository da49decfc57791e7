//! Ladders as SVG and as Mermaid: one that shows everything there is, and that nobody far away can break out of either.

use bytes::Bytes;
use crosspoint_sim::ladder::{LINES, Log, Outcome};
use crosspoint_sim::net::Loss;
use quickcheck::{QuickCheck, TestResult};

/// A message with nothing but what a ladder needs.
fn sip(first_line: &str, branch: &str, cseq: &str, more: &str) -> Bytes {
    Bytes::from(format!(
        "{first_line}\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK{branch}\r\nFrom: \"Al <ice>\" <sip:alice@example.net>;tag=1\r\n\
         To: <sip:bob@example.net>\r\nCall-ID: 5 & 6\r\nCSeq: {cseq}\r\nAuthorization: Digest response=\"secret\"\r\n{more}\r\n"
    ))
}

/// One of everything: an event, a note, messages that are lost, doubled, resent, no SIP, and sent to oneself.
fn one_of_everything() -> Log {
    let mut log = Log::new(["alice@nat1", "switch", "bob", "192.0.2.200:5060"]);
    let lost = Outcome::Lost;
    let to_bob = sip("INVITE sip:bob@192.0.2.9 SIP/2.0", "b", "1 INVITE", "");
    log.sent(
        0,
        "alice@nat1",
        "switch",
        sip("INVITE sip:bob@example.net SIP/2.0", "a", "1 INVITE", ""),
        Outcome::ARRIVED,
    );
    log.sent(200, "switch", "alice@nat1", sip("SIP/2.0 100 Trying", "a", "1 INVITE", ""), lost(Loss::NatFiltered));
    log.sent(900, "switch", "bob", to_bob.clone(), lost(Loss::Lost));
    log.event(900, "switch", "route bob at 192.0.2.9:5060 (phone) (route.binding)");
    log.sent(500_900, "switch", "bob", to_bob.clone(), lost(Loss::Lost));
    log.sent(1_500_900, "switch", "bob", to_bob, Outcome::ARRIVED);
    let ringing = sip("SIP/2.0 180 Ringing", "b", "1 INVITE", "");
    log.sent(1_501_000, "bob", "switch", ringing, Outcome::Arrived { copies: 2, is_rewritten: true });
    log.sent(1_520_000, "192.0.2.200:5060", "switch", Bytes::from_static(b"<!-- OPTIONS; # end"), Outcome::ARRIVED);
    log.sent(1_530_000, "bob", "bob", Bytes::from_static(b"\r\n\r\n"), Outcome::ARRIVED);
    let reason = "Reason: Q.850;cause=16;text=\"<script>alert(1)</script>\"\r\n";
    log.sent(
        1_540_000,
        "switch",
        "bob",
        sip("CANCEL sip:bob@192.0.2.9 SIP/2.0", "b", "1 CANCEL", reason),
        Outcome::ARRIVED,
    );
    log.note(1_600_000, "rtp nobody heard anything");
    log
}

#[test]
fn one_of_everything_as_text() {
    insta::assert_snapshot!(one_of_everything().text("One of everything & <more>"));
}

#[test]
fn one_of_everything_as_svg() {
    let svg = one_of_everything().svg("One of everything & <more>", LINES);
    insta::assert_snapshot!(svg);
    assert_eq!(faults_of_svg(&svg), None);
    assert!(!svg.contains("secret"), "a picture is passed around");
}

#[test]
fn one_of_everything_as_mermaid() {
    let mermaid = one_of_everything().mermaid("One of everything & <more>", LINES);
    insta::assert_snapshot!(mermaid);
    assert_eq!(faults_of_mermaid(&mermaid), None);
}

#[test]
fn pictures_are_cut_as_text_is() {
    let log = one_of_everything();
    assert!(log.svg("cut", 5).contains(">... 5 lines left out ...</text>"));
    assert!(log.mermaid("cut", 5).contains("... 5 lines left out ..."));
    assert!(Log::default().svg("nothing", 5).contains("<title>nothing</title>"));
    assert_eq!(Log::default().mermaid("nothing", 5), "sequenceDiagram\n    title nothing\n");
    assert_eq!(Log::default().mermaid(" ", 5), "sequenceDiagram\n    title #160;\n", "Mermaid takes no empty title");
}

/// Whatever comes from far away, and whatever names and titles are.
#[test]
fn any_text_and_any_datagram_give_a_picture() {
    fn holds(raw: Vec<u8>, header: String, words: String, lines: usize) -> TestResult {
        let mut log = Log::new([words.as_str(), "switch"]);
        let unfolded = header.replace(['\r', '\n'], " ");
        log.sent(7, &words, "switch", Bytes::from(raw), Outcome::ARRIVED);
        for first_line in ["SIP/2.0 200 OK", &format!("{} sip:a@b SIP/2.0", unfolded.replace(' ', "_"))] {
            let more = format!("Contact: {unfolded}\r\nReason: {unfolded}\r\nRequire: {unfolded}\r\n");
            log.sent(
                7,
                "switch",
                &words,
                sip(first_line, &unfolded, &format!("1 {unfolded}"), &more),
                Outcome::ARRIVED,
            );
        }
        log.event(7, &words, words.clone());
        log.note(7, header.clone());
        let (svg, mermaid) = (log.svg(&words, lines % 9), log.mermaid(&header, lines % 9));
        match faults_of_svg(&svg).or_else(|| faults_of_mermaid(&mermaid)) {
            Some(fault) => TestResult::error(fault),
            None => TestResult::passed(),
        }
    }
    QuickCheck::new().tests(300).quickcheck(holds as fn(Vec<u8>, String, String, usize) -> TestResult);
    // what means something to XML, HTML, CSS, Mermaid or a terminal, and what XML cannot hold at all
    for evil in [
        "</title></svg><script>alert(1)</script>",
        "]]>&amp;&#0;\u{0}\u{b}\u{fffe}\u{ffff}",
        "' onload='alert(1)' \" x=\"",
        "style:x#59; %%{init: {}}%% end; $$x$$ <br> `a` **b** \\n ;end\nend",
        "\u{202e}txet\u{2028}\u{1b}[31m",
        "",
    ] {
        let result = holds(evil.as_bytes().to_vec(), evil.to_owned(), format!("{evil}x"), 8);
        assert!(!result.is_failure(), "{evil:?}: {result:?}");
    }
}

/// What is wrong with it: not well formed, or with an element or attribute in it that we do not write.
fn faults_of_svg(svg: &str) -> Option<String> {
    const ELEMENTS: [&str; 8] = ["svg", "title", "style", "rect", "path", "g", "text", "tspan"];
    const ATTRIBUTES: [&str; 13] = [
        "version",
        "width",
        "height",
        "viewBox",
        "type",
        "class",
        "d",
        "x",
        "y",
        "rx",
        "fill",
        "pointer-events",
        "xmlns",
    ];
    let document = match roxmltree::Document::parse(svg) {
        Ok(document) => document,
        Err(error) => return Some(format!("{error}\n{svg}")),
    };
    let is_ours = |node: &roxmltree::Node<'_, '_>| {
        ELEMENTS.contains(&node.tag_name().name()) && node.attributes().all(|a| ATTRIBUTES.contains(&a.name()))
    };
    let foreign = document.descendants().find(|node| node.is_comment() || node.is_element() && !is_ours(node));
    foreign.map(|node| format!("{node:?} is not of us\n{svg}"))
}

/// What is wrong with it: a line that is no statement of ours, or text in it with anything that means something.
fn faults_of_mermaid(mermaid: &str) -> Option<String> {
    let is_plain = |text: &str| {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| !(c.is_alphanumeric() || " .,-+=/()@".contains(c))) {
            let behind = &rest[at..];
            let entity = behind.strip_prefix('#').and_then(|number| number.split_once(';'));
            rest = match entity {
                Some((number, after)) if number.parse::<u32>().is_ok() => after,
                _ => match behind.strip_prefix("<br/>") {
                    Some(after) => after,
                    None => return false,
                },
            };
        }
        true
    };
    let is_actor = |name: &str| name.strip_prefix('a').is_some_and(|number| number.parse::<u32>().is_ok());
    let is_statement = |line: &str| {
        let line = line.strip_prefix("    ").unwrap_or("?");
        if let Some(title) = line.strip_prefix("title ") {
            return is_plain(title);
        }
        if let Some((actor, name)) = line.strip_prefix("participant ").and_then(|rest| rest.split_once(" as ")) {
            return is_actor(actor) && is_plain(name);
        }
        let Some((head, text)) = line.split_once(": ") else { return false };
        let actors: Vec<&str> = match head.strip_prefix("Note over ") {
            Some(actors) => actors.split(',').collect(),
            None => ["-->>", "--x", "->>", "-x"]
                .iter()
                .find_map(|arrow| head.split_once(arrow))
                .map_or(vec![""], |(a, b)| vec![a, b]),
        };
        actors.into_iter().all(is_actor) && is_plain(text)
    };
    let mut lines = mermaid.lines();
    if lines.next() != Some("sequenceDiagram") {
        return Some(format!("no sequence diagram: {mermaid}"));
    }
    lines.find(|line| !is_statement(line)).map(|line| format!("no statement: {line:?}\n{mermaid}"))
}
