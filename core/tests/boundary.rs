//! The walls of the house, checked by reading its source: the core takes nothing from its surroundings, drivers decide
//! nothing, and the style has limits. There is no allow-list: what a wall forbids is designed away, not excused.

#![expect(clippy::disallowed_methods, reason = "the ban is for the core; this test reads its source")]

use std::path::{Path, PathBuf};

/// Reads of clock, chance, system or process, and state that outlives the switch (architecture §9, trap 1).
const AMBIENT: &[&str] = &[
    "SystemTime",
    "Instant::now",
    "UNIX_EPOCH",
    "std::thread",
    "thread::spawn",
    "thread_local!",
    "std::fs",
    "fs::read",
    "std::env",
    "env::var",
    "std::process",
    "std::os",
    "std::net::UdpSocket",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "ToSocketAddrs",
    "rand::rng",
    "rand::random",
    "thread_rng",
    "OsRng",
    "SysRng",
    "getrandom",
    "RandomState",
    "HashSet",
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
    "stdin",
    "stdout",
    "stderr",
    "static mut",
    "OnceLock",
    "LazyLock",
    "OnceCell",
    "LazyCell",
    "Mutex",
    "RwLock",
    "AtomicBool",
    "AtomicU32",
    "AtomicU64",
    "AtomicUsize",
    "tokio",
    "async",
    "tracing",
    "Uuid",
];

/// Floating point rounds by machine and order; the core counts in integer microseconds and permille (architecture §9).
const FLOATS: &[&str] = &["f32", "f64"];

/// What only something that reads or writes SIP would name (architecture trap 3).
const PROTOCOL: &[&str] = &[
    "INVITE",
    "REGISTER",
    "CANCEL",
    "BYE",
    "ACK",
    "OPTIONS",
    "PRACK",
    "SIP/2.0",
    "Via",
    "CSeq",
    "Call-ID",
    "Contact",
    "Max-Forwards",
    "Record-Route",
    "Content-Length",
    "WWW-Authenticate",
    "branch",
    "rtpmap",
    "sdp",
    "sip::",
    "sdp::",
    "transaction::",
    "auth::",
];

/// The parts of the core in which protocol is decided: a host shows results and never calls these.
const DECISIONS: &[&str] = &[
    "sip::scan",
    "sip::check",
    "sip::Message",
    "sip::Writer",
    "Writer::response",
    "Writer::request",
    "sdp::rewrite",
    "sdp::scan",
    "core::transaction",
    "core::auth",
    "core::registrar::Registrar",
    "SIP/2.0",
    "CSeq",
    "rtpmap",
];

/// Unfinished work and its excuses; split so that this file passes its own test.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("unimple", "mented!"),
    concat!("to", "do!"),
    concat!("place", "holder"),
    concat!("for ", "now"),
    concat!("allow(dead", "_code)"),
    concat!("#[ig", "nore"),
];

/// Where somebody's machine was; split likewise.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;

struct Source {
    name: String,
    text: String,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files under these folders of the repository; a folder that does not exist gives none.
fn sources(folders: &[String]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        collect(&repository().join(folder), folder, &mut found);
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn collect(folder: &Path, name: &str, found: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a listed entry can be read").path();
        let name = format!("{name}/{}", path.file_name().expect("an entry has a name").to_string_lossy());
        if path.is_dir() {
            if !name.ends_with("/target") {
                collect(&path, &name, found);
            }
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            found.push(Source { name, text });
        }
    }
}

/// The crates of the workspace, by their folders, and the fuzz targets.
fn crates() -> Vec<String> {
    let manifest = std::fs::read_to_string(repository().join("Cargo.toml")).expect("the workspace has a manifest");
    let manifest: toml::Table = manifest.parse().expect("the manifest is TOML");
    let members = manifest["workspace"]["members"].as_array().expect("the workspace lists its members");
    let names = members.iter().map(|member| member.as_str().expect("a member is a path").to_owned());
    names.chain(["fuzz".to_owned()]).collect()
}

/// Each line with one of these words in it, comments left out where `code_only`.
fn hits(sources: &[Source], words: &[&str], code_only: bool) -> Vec<String> {
    let mut hits = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            let seen = if code_only { line.split("//").next().unwrap_or_default() } else { line };
            for word in words.iter().filter(|word| has_word(seen, word)) {
                hits.push(format!("{}:{}: `{word}` in: {}", source.name, index + 1, line.trim()));
            }
        }
    }
    hits
}

/// Whether the word stands there on its own, not as part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let joins = |neighbour: Option<char>, edge: Option<char>| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        neighbour.is_some_and(is_letter) && edge.is_some_and(is_letter)
    };
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        !joins(before, word.chars().next()) && !joins(after, word.chars().next_back())
    })
}

#[track_caller]
fn expect_none(hits: Vec<String>, rule: &str) {
    assert!(hits.is_empty(), "{rule}:\n{}", hits.join("\n"));
}

fn core_sources() -> Vec<Source> {
    let sources = sources(&["core/src".to_owned()]);
    assert!(sources.len() > 10, "the core's source was not found");
    sources
}

/// The sources of the crates whose names begin so.
fn sources_of(prefix: &str) -> Vec<Source> {
    let folders: Vec<String> =
        crates().into_iter().filter(|name| name.starts_with(prefix)).map(|name| format!("{name}/src")).collect();
    let sources = sources(&folders);
    assert!(!sources.is_empty(), "no source of {prefix}* was found");
    sources
}

#[test]
fn the_core_reads_nothing_from_its_surroundings() {
    expect_none(
        hits(&core_sources(), AMBIENT, true),
        "the core knows no clock, chance, thread, socket, file or console",
    );
    expect_none(hits(&core_sources(), FLOATS, true), "the core counts in integers");
}

#[test]
fn hash_maps_are_behind_the_keyed_table() {
    let others: Vec<Source> = core_sources().into_iter().filter(|source| source.name != "core/src/handle.rs").collect();
    expect_none(
        hits(&others, &["HashMap", "hash_map"], true),
        "handle::Table is the one hash map: keyed, never iterated",
    );
}

#[test]
fn drivers_decide_nothing() {
    expect_none(hits(&sources_of("runtime-"), PROTOCOL, true), "a driver carries bytes and knows no protocol");
}

#[test]
fn the_host_holds_no_protocol_logic() {
    expect_none(hits(&sources_of("host"), DECISIONS, true), "the host shows what the core decided");
}

#[test]
fn nothing_is_left_unfinished() {
    expect_none(hits(&sources(&crates()), UNFINISHED, false), "what is in the tree is finished");
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    expect_none(hits(&sources(&crates()), MACHINE_PATHS, false), "a clone builds anywhere");
}

#[test]
fn files_and_functions_stay_short() {
    let mut long = Vec::new();
    for source in sources(&crates()) {
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > FILE_LINES {
            long.push(format!("{}: {} lines, at most {FILE_LINES}", source.name, lines.len()));
        }
        for (start, length) in functions(&lines).filter(|(_, length)| *length > FUNCTION_LINES) {
            let name = lines[start].trim();
            long.push(format!("{}:{}: {length} lines, at most {FUNCTION_LINES}: {name}", source.name, start + 1));
        }
    }
    expect_none(long, "one idea to a file, one thought to a function");
}

/// Where each function begins and how many lines it has: rustfmt closes it with a brace in the column of its first line.
fn functions<'l>(lines: &'l [&str]) -> impl Iterator<Item = (usize, usize)> + 'l {
    lines.iter().enumerate().filter(|(_, line)| begins_function(line)).filter_map(|(start, line)| {
        let closing = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let length = lines[start..].iter().position(|line| **line == closing)? + 1;
        Some((start, length))
    })
}

fn begins_function(line: &str) -> bool {
    let is_qualifier = |word: &str| word.starts_with("pub") || ["const", "async", "unsafe"].contains(&word);
    let before = line.split_once("fn ").map(|(before, _)| before);
    before.is_some_and(|before| before.split_whitespace().all(is_qualifier)) && !line.ends_with([';', '}'])
}

#[test]
fn the_readers_of_this_test_see_what_they_look_for() {
    assert!(has_word("use std::fs;", "std::fs"));
    assert!(has_word("let t = Instant::now();", "Instant::now"));
    assert!(has_word("println!(\"\")", "println!"));
    assert!(!has_word("timestdout", "stdout") && !has_word("eprintln!()", "println!") && !has_word("BYTES", "BYE"));
    let source = Source { name: "x.rs".into(), text: "let a = 1; // HashMap\nlet b = HashMap::new();\n".into() };
    let sources = [source];
    assert_eq!(hits(&sources, &["HashMap"], true), ["x.rs:2: `HashMap` in: let b = HashMap::new();"]);
    assert_eq!(hits(&sources, &["HashMap"], false).len(), 2);
    let code = [
        "    pub const fn a() {",
        "        if x {",
        "        }",
        "    }",
        "fn b();",
        "of: X<fn() -> T>,",
        "fn c(",
        "}",
    ];
    assert_eq!(functions(&code).collect::<Vec<_>>(), [(0, 4), (6, 2)]);
}
