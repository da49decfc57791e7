//! Takes over a parameter list of VOS3000: `NAME=value` lines.

use super::remarks::{System, remarks};
use super::render::quoted;
use super::spec::Status;
use super::table::{find, nearest_name};
use super::values::{ParamError, Parameters};
use crate::finding::{Findings, Level, Source};
use std::collections::BTreeMap;
use std::ops::Range;

/// What became of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// A TOML `[parameters]` table with every value that passed, defaults too; what did not pass stands there as a
    /// comment.
    pub toml: String,
    /// What there is to say about its lines. Errors are values that were left out.
    pub findings: Findings,
}

/// Another name of a parameter.
struct Alias {
    name: &'static str,
    known: &'static str,
}

/// Names that other lists use (behaviour 1(d)), and the spelling of one that VOS3000 gets wrong (behaviour 3).
const ALIASES: [Alias; 3] = [
    Alias { name: "SS_ENDPOINTREGISTERRETRY", known: "SS_AUTHENTICATION_MAX_RETRY" },
    Alias { name: "SS_ENDPOINTREGISTERSUSPENDTIME", known: "SS_AUTHENTICATION_FAILED_SUSPEND" },
    Alias { name: "SERVER_BILLING_FEE_PRECISION", known: "SERVER_BILLING_FEE_PRECISTION" },
];

/// A switch for the lockout in other lists (behaviour 1(d)); here 0 failures turn it off.
const LOCKOUT_SWITCH: &str = "SS_ENDPOINTREGISTERSUSPEND";

/// One `NAME=value` line.
struct Line<'t> {
    name: &'t str,
    value: &'t str,
    /// Octets of the text.
    name_span: Range<usize>,
    value_span: Range<usize>,
}

/// Takes over a list. Tolerated: comments (`#`, `;`, `//`), empty lines, quotes, spaces, CRLF, a byte order mark, a
/// trailing semicolon or comma, a tab in place of `=`.
///
/// ```
/// let import = crosspoint_core::params::import("SS_RTP_PORT_RANGE = 10000,29999\r\nSS_FOO=1\r\n");
/// assert_eq!(import.toml, "[parameters]\nSS_RTP_PORT_RANGE = \"10000,29999\"\n# SS_FOO = \"1\"\n");
/// assert!(import.findings.iter().any(|finding| finding.line == 2 && finding.id == "unknown-parameter"));
/// ```
pub fn import(text: &str) -> Import {
    let mut importer = Importer {
        source: Source::new(text),
        findings: Findings::default(),
        toml: String::from("[parameters]\n"),
        parameters: Parameters::default(),
        taken: BTreeMap::new(),
    };
    let mut offset = 0;
    for raw in text.split_inclusive('\n') {
        importer.line(raw, offset);
        offset += raw.len();
    }
    importer.finish()
}

struct Importer<'t> {
    source: Source<'t>,
    findings: Findings,
    toml: String,
    parameters: Parameters,
    /// The parameters set so far, and where each stands.
    taken: BTreeMap<&'static str, Range<usize>>,
}

impl<'t> Importer<'t> {
    fn find(&mut self, span: &Range<usize>, level: Level, id: &'static str, text: impl Into<String>) {
        self.findings.push(self.source.finding(span.clone(), level, id, text));
    }

    fn line(&mut self, raw: &'t str, offset: usize) {
        let text = raw.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() || ["#", ";", "//"].iter().any(|comment| text.starts_with(comment)) {
            return;
        }
        let place = |part: &str| {
            let start = offset + (part.as_ptr().addr() - raw.as_ptr().addr());
            start..start + part.len()
        };
        let Some((name, value)) = text.split_once(['=', '\t']) else {
            self.find(&place(text), Level::Warning, "not-a-parameter", "is not of the form NAME=value");
            return;
        };
        let (name, value) = (unquoted(name), unquoted(value));
        self.take(&Line { name, value, name_span: place(name), value_span: place(value) });
    }

    fn take(&mut self, line: &Line<'t>) {
        if line.name.eq_ignore_ascii_case(LOCKOUT_SWITCH) {
            self.lockout_switch(line);
            return;
        }
        let alias = ALIASES.iter().find(|alias| alias.name.eq_ignore_ascii_case(line.name));
        if let Some(Alias { known, .. }) = alias {
            self.find(&line.name_span, Level::Warning, "alias", format!("{} is taken as {known}", line.name));
        }
        self.set(alias.map_or(line.name, |alias| alias.known), line.value, line);
    }

    /// `On` says what is the default here; `Off` is MAX_RETRY 0.
    fn lockout_switch(&mut self, line: &Line<'t>) {
        const RETRY: &str = "SS_AUTHENTICATION_MAX_RETRY";
        match super::Kind::Switch.check(line.value).map(|checked| checked.text == "On") {
            Ok(true) => {
                let text = format!("{} = On is how it is here: {RETRY} above 0", line.name);
                self.find(&line.name_span, Level::Warning, "alias", text);
            }
            Ok(false) => {
                self.find(
                    &line.name_span,
                    Level::Warning,
                    "alias",
                    format!("{} = Off is taken as {RETRY} = 0", line.name),
                );
                self.set(RETRY, "0", line);
            }
            Err(reason) => self.refuse(line, format!("{} = {:?} {reason}", line.name, line.value)),
        }
    }

    fn refuse(&mut self, line: &Line<'t>, reason: String) {
        self.find(&line.value_span, Level::Error, "parameter-value", reason);
        self.comment(line);
    }

    fn comment(&mut self, line: &Line<'t>) {
        self.toml.push_str(&format!("# {} = {}\n", line.name.escape_debug(), quoted(line.value)));
    }

    fn set(&mut self, name: &str, value: &str, line: &Line<'t>) {
        let Some(spec) = find(name) else {
            let error = ParamError::Unknown { name: name.to_owned(), nearest: nearest_name(name) };
            self.find(&line.name_span, Level::Warning, "unknown-parameter", error.to_string());
            self.comment(line);
            return;
        };
        let checked = match spec.check(value) {
            Ok(checked) => checked,
            Err(error) => return self.refuse(line, error.to_string()),
        };
        if self.taken.contains_key(spec.name) {
            let text = format!("{} is there already: the first counts", spec.name);
            self.find(&line.name_span, Level::Warning, "duplicate", text);
            self.comment(line);
            return;
        }
        if let Some(warning) = checked.warning {
            self.find(&line.value_span, Level::Warning, "qos-ecn", format!("{}: {warning}", spec.name));
        }
        if spec.status == Status::Accepted && checked.text != spec.default {
            let text = format!("{} = {} is accepted, not yet acted on", spec.name, checked.text);
            self.find(&line.name_span, Level::Warning, "not-acted-on", text);
        }
        self.parameters.set(spec.name, &checked.text).expect("a checked value passes its check again");
        self.taken.insert(spec.name, line.name_span.clone());
        self.toml.push_str(&format!("{} = {}\n", spec.name, quoted(&checked.text)));
    }

    /// Adds what the values as a whole show.
    fn finish(mut self) -> Import {
        for remark in remarks(&self.parameters, &System::default()) {
            let place = remark.parameters.iter().find_map(|name| self.taken.get(name)).cloned();
            if let Some(place) = place {
                self.find(&place, remark.level, remark.id, remark.text);
            }
        }
        self.findings.sort();
        Import { toml: self.toml, findings: self.findings }
    }
}

/// Without spaces, the separators that end a line in some exports, and one pair of quotes.
fn unquoted(text: &str) -> &str {
    let text = text.trim().trim_end_matches([';', ',']).trim();
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::import;
    use crate::config::parse;
    use crate::finding::Level;
    use crate::params::{Parameters, TABLE};

    #[test]
    fn a_list_is_taken_over() {
        let text = "\u{feff}# exported\r\n; VOS3000 2.1.9.07\r\n\r\n\
                    SS_SIP_TIMEOUT_RINGING=60\r\n\
                    \"SS_RTP_PORT_RANGE\" = \"10000,29999\";\r\n\
                    ss_qos_signal\t0xa1\r\n\
                    SS_SIP_AUTHENTICATION_CODE='Unauthorized(401)',\r\n\
                    SS_ENDPOINTREGISTERRETRY = 0\r\n\
                    SS_ENDPOINTREGISTERSUSPEND = Off\r\n\
                    SS_ENDPOINTREGISTERSUSPENDTIME=30\r\n\
                    SERVER_BILLING_FEE_PRECISION=0.001\r\n\
                    SS_SIP_SESSION_TTL=500\r\n\
                    SS_SIP_SESSIONTTL=500\r\n\
                    SS_GATEWAY_ASR = \"a\\b\"\r\n\
                    hello\r\n";
        let import = import(text);
        insta::assert_snapshot!(import.toml, @r#"
        [parameters]
        SS_SIP_TIMEOUT_RINGING = "60"
        SS_RTP_PORT_RANGE = "10000,29999"
        SS_QOS_SIGNAL = "0xa0"
        SS_SIP_AUTHENTICATION_CODE = "Unauthorized(401)"
        SS_AUTHENTICATION_MAX_RETRY = "0"
        # SS_ENDPOINTREGISTERSUSPEND = "Off"
        # SS_ENDPOINTREGISTERSUSPENDTIME = "30"
        SERVER_BILLING_FEE_PRECISTION = "0.001"
        SS_SIP_SESSION_TTL = "500"
        # SS_SIP_SESSIONTTL = "500"
        # SS_GATEWAY_ASR = "a\\b"
        "#);
        insta::assert_snapshot!(import.findings.to_string(), @r#"
        6:15: warning: SS_QOS_SIGNAL: 0xa1 sets ECN bits (RFC 3168), which are not ours; taken as 0xa0 (qos-ecn)
        8:1: warning: SS_ENDPOINTREGISTERRETRY is taken as SS_AUTHENTICATION_MAX_RETRY (alias)
        8:1: warning: SS_AUTHENTICATION_MAX_RETRY = 0 is accepted, not yet acted on (not-acted-on)
        8:1: warning: 0 turns the lockout off: passwords can be guessed without end; authentication itself stays on (lockout-off)
        9:1: warning: SS_ENDPOINTREGISTERSUSPEND = Off is taken as SS_AUTHENTICATION_MAX_RETRY = 0 (alias)
        9:1: warning: SS_AUTHENTICATION_MAX_RETRY is there already: the first counts (duplicate)
        10:1: warning: SS_ENDPOINTREGISTERSUSPENDTIME is taken as SS_AUTHENTICATION_FAILED_SUSPEND (alias)
        10:32: error: SS_AUTHENTICATION_FAILED_SUSPEND = "30" must be a whole number from 60 to 3600 (parameter-value)
        11:1: warning: SERVER_BILLING_FEE_PRECISION is taken as SERVER_BILLING_FEE_PRECISTION (alias)
        11:1: warning: SERVER_BILLING_FEE_PRECISTION = 0.001 is accepted, not yet acted on (not-acted-on)
        12:1: error: sessions of 500 s (SS_SIP_SESSION_TTL) would be refreshed every 300 s (SS_SIP_SESSION_UPDATE_SEGMENT 300); at most half, 250 s, is allowed (session-interval)
        12:1: warning: SS_SIP_SESSION_TTL = 500 is accepted, not yet acted on (not-acted-on)
        13:1: warning: unknown parameter `SS_SIP_SESSIONTTL`, did you mean `SS_SIP_SESSION_TTL`? (unknown-parameter)
        14:1: warning: unknown parameter `SS_GATEWAY_ASR` (unknown-parameter)
        15:1: warning: is not of the form NAME=value (not-a-parameter)
        "#);
    }

    #[test]
    fn lockout_switch() {
        let on = import("SS_ENDPOINTREGISTERSUSPEND=On\n");
        assert_eq!((on.toml.as_str(), on.findings.has_errors()), ("[parameters]\n", false));
        let off = import("SS_ENDPOINTREGISTERSUSPEND=0\n");
        assert_eq!(off.toml, "[parameters]\nSS_AUTHENTICATION_MAX_RETRY = \"0\"\n");
        assert!(off.findings.iter().any(|finding| finding.id == "lockout-off"));
        assert!(import("SS_ENDPOINTREGISTERSUSPEND=maybe\n").findings.has_errors());
    }

    #[test]
    fn the_whole_table_is_taken_over_and_loads() {
        let list: String = TABLE.iter().map(|spec| format!("{}={}\n", spec.name, spec.default)).collect();
        let import = import(&list);
        assert!(!import.findings.has_errors(), "{}", import.findings);
        let parsed = parse(&import.toml).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(parsed.config.parameters, Parameters::default());
        assert_eq!(import.toml.lines().count(), TABLE.len() + 1);
    }

    quickcheck::quickcheck! {
        /// What import lets pass is a [parameters] table that differs in no error from its findings.
        fn any_list_becomes_toml(lines: Vec<(usize, String)>) -> bool {
            let line = |(row, value): &(usize, String)| {
                let name = TABLE.get(row % (TABLE.len() + 1)).map_or("SS_ODD", |spec| spec.name);
                format!("{name}={value}\n")
            };
            let import = import(&lines.iter().map(line).collect::<String>());
            let refused_as_a_whole = import.findings.iter().any(|f| f.level == Level::Error && f.id == "session-interval");
            parse(&import.toml).is_ok() != refused_as_a_whole
        }
    }
}
