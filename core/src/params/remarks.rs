//! What no single value shows: rules between parameters, and values that are allowed but rarely meant.

use super::values::Parameters;
use crate::finding::Level;
use std::ops::RangeInclusive;

/// What the values are held against of the system that they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// The ports that it gives to outgoing connections (`net.ipv4.ip_local_port_range`).
    pub ephemeral_ports: RangeInclusive<u16>,
    /// How many files one process may have open (`ulimit -n`), as far as the limit can be raised.
    pub open_files: u64,
}

impl Default for System {
    /// Linux as it comes, without a limit of open files.
    fn default() -> System {
        System { ephemeral_ports: 32_768..=60_999, open_files: u64::MAX }
    }
}

/// Up to this SS_SIP_SESSION_UPDATE_SEGMENT divides SS_SIP_SESSION_TTL, above it is seconds (behaviour 1(e)).
const LARGEST_DIVIDER: u32 = 10;

/// Something to say about the values as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The parameters it is about; the first that the operator wrote is the one to point at.
    pub parameters: &'static [&'static str],
    /// How much it weighs.
    pub level: Level,
    /// Names the kind of remark.
    pub id: &'static str,
    /// What there is to say.
    pub text: String,
}

/// Checks the values as a whole, for this system.
pub fn remarks(parameters: &Parameters, system: &System) -> Vec<Remark> {
    let mut found = Vec::new();
    found.extend(session_interval(parameters));
    found.extend(lockout(parameters));
    found.extend(ports_overlap(parameters));
    for range in [&["SS_RTP_PORT_RANGE"] as &'static [&'static str], &["IVR_RTP_PORT"], &["SS_H245_PORT_RANGE"]] {
        found.extend(ephemeral_ports(parameters, range, &system.ephemeral_ports));
    }
    found.extend(open_files(parameters, system.open_files));
    found
}

/// Behaviour 1(e): a refresh later than half the session's life leaves no time for a second try.
fn session_interval(parameters: &Parameters) -> Option<Remark> {
    let ttl_s = parameters.whole("SS_SIP_SESSION_TTL");
    let segment = parameters.whole("SS_SIP_SESSION_UPDATE_SEGMENT");
    let interval_s = if segment <= LARGEST_DIVIDER { ttl_s / segment.max(1) } else { segment };
    (interval_s > ttl_s / 2).then(|| Remark {
        parameters: &["SS_SIP_SESSION_UPDATE_SEGMENT", "SS_SIP_SESSION_TTL"],
        level: Level::Error,
        id: "session-interval",
        text: format!(
            "sessions of {ttl_s} s (SS_SIP_SESSION_TTL) would be refreshed every {interval_s} s \
             (SS_SIP_SESSION_UPDATE_SEGMENT {segment}); at most half, {} s, is allowed",
            ttl_s / 2
        ),
    })
}

/// Behaviour 1(d).
fn lockout(parameters: &Parameters) -> Option<Remark> {
    (parameters.whole("SS_AUTHENTICATION_MAX_RETRY") == 0).then(|| Remark {
        parameters: &["SS_AUTHENTICATION_MAX_RETRY"],
        level: Level::Warning,
        id: "lockout-off",
        text: "0 turns the lockout off: passwords can be guessed without end; authentication itself stays on"
            .to_owned(),
    })
}

/// Behaviour 1(g). H.245 is TCP and shares nothing.
fn ports_overlap(parameters: &Parameters) -> Option<Remark> {
    let (rtp_first, rtp_last) = parameters.ports("SS_RTP_PORT_RANGE");
    let (ivr_first, ivr_last) = parameters.ports("IVR_RTP_PORT");
    (rtp_first <= ivr_last && ivr_first <= rtp_last).then(|| Remark {
        parameters: &["IVR_RTP_PORT", "SS_RTP_PORT_RANGE"],
        level: Level::Warning,
        id: "port-overlap",
        text: format!(
            "SS_RTP_PORT_RANGE {rtp_first},{rtp_last} and IVR_RTP_PORT {ivr_first},{ivr_last} have ports {},{} in common; \
             they are for relayed calls alone",
            rtp_first.max(ivr_first),
            rtp_last.min(ivr_last)
        ),
    })
}

/// Behaviour 1(g): a port that the kernel has given away meanwhile cannot be bound.
fn ephemeral_ports(
    parameters: &Parameters,
    range: &'static [&'static str],
    ephemeral: &RangeInclusive<u16>,
) -> Option<Remark> {
    let name = *range.first()?;
    let (first, last) = parameters.ports(name);
    (first <= *ephemeral.end() && *ephemeral.start() <= last).then(|| Remark {
        parameters: range,
        level: Level::Warning,
        id: "ephemeral-ports",
        text: format!(
            "{name} {first},{last} has ports in common with those that the system gives to outgoing connections \
             ({},{}): keep these apart with net.ipv4.ip_local_port_range or net.ipv4.ip_local_reserved_ports",
            ephemeral.start(),
            ephemeral.end()
        ),
    })
}

/// Open files besides those of media ports, at most: signalling sockets and connections, journals, records.
const OTHER_FILES: u64 = 1024;

/// How many of so many open files media ports may be: a quarter, and not more than it takes, is kept for the rest.
pub fn media_files(limit: u64) -> u64 {
    limit - (limit / 4).min(OTHER_FILES)
}

/// Checks the media ports against the number of files that the process may have open: with all of them in use each is one
/// (user-pains 6).
pub fn open_files(parameters: &Parameters, limit: u64) -> Option<Remark> {
    let ranges = [parameters.rtp_ports(), parameters.ivr_ports()];
    let ports: u64 = ranges.iter().map(|range| range.len() as u64).sum();
    let usable = media_files(limit);
    (usable < ports).then(|| Remark {
        parameters: &["SS_RTP_PORT_RANGE", "IVR_RTP_PORT"],
        level: Level::Warning,
        id: "open-files",
        text: format!(
            "the media ports are {ports}, each of them an open file while in use, and the limit of open files is {limit}: \
             {usable} of them can be used at once; raise it to {} (ulimit -n, LimitNOFILE=)",
            ports + ports.div_ceil(3).min(OTHER_FILES)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::{System, media_files, open_files, remarks};
    use crate::finding::Level;
    use crate::params::Parameters;

    fn ids(values: &[(&str, &str)]) -> Vec<&'static str> {
        let mut parameters = Parameters::default();
        for (name, value) in values {
            parameters.set(name, value).expect("in range");
        }
        remarks(&parameters, &System::default()).iter().map(|remark| remark.id).collect()
    }

    #[test]
    fn all_four_recommended_session_rows_pass_and_late_refreshes_do_not() {
        const TTL: &str = "SS_SIP_SESSION_TTL";
        const SEGMENT: &str = "SS_SIP_SESSION_UPDATE_SEGMENT";
        for (ttl, segment, refused) in [
            ("1800", "300", false),
            ("3600", "600", false),
            ("900", "180", false),
            ("600", "2", false),
            ("600", "10", false),
            ("600", "300", false),
            ("601", "301", true),
            ("90", "46", true),
        ] {
            let found = ids(&[(TTL, ttl), (SEGMENT, segment)]);
            assert_eq!(found.contains(&"session-interval"), refused, "{ttl} {segment}");
        }
    }

    #[test]
    fn port_ranges() {
        assert_eq!(ids(&[]), ["ephemeral-ports"; 3], "the defaults overlap the range of Linux");
        let apart = [("SS_RTP_PORT_RANGE", "10000,19999"), ("SS_H245_PORT_RANGE", "10000,19999")];
        assert_eq!(ids(&[apart[0], apart[1], ("IVR_RTP_PORT", "20000,32767")]), [""; 0]);
        assert_eq!(ids(&[apart[0], apart[1], ("IVR_RTP_PORT", "19999,32767")]), ["port-overlap"]);
        assert_eq!(ids(&[apart[0], apart[1], ("IVR_RTP_PORT", "20000,32768")]), ["ephemeral-ports"]);
    }

    #[test]
    fn every_media_port_is_an_open_file() {
        let remark = |limit| open_files(&Parameters::default(), limit);
        assert_eq!(remark(39_024), None, "30,000 and 8,000 and 1,024");
        let found = remark(39_023).expect("one too few");
        assert_eq!((found.id, found.level), ("open-files", Level::Warning));
        assert!(found.text.contains("37999 of them can be used at once; raise it to 39024"), "{}", found.text);
        assert!(remark(1024).is_some_and(|found| found.text.contains(" 768 of them")));
        assert_eq!([0, 3, 64, 4096, 5000].map(media_files), [0, 3, 48, 3072, 3976]);
        let mut few = Parameters::default();
        few.set("SS_RTP_PORT_RANGE", "10000,10069").expect("in range");
        few.set("IVR_RTP_PORT", "40000,40029").expect("in range");
        let found = open_files(&few, 132).expect("a quarter of it leaves 99");
        assert!(found.text.contains("raise it to 134"), "{}", found.text);
        assert_eq!(open_files(&few, 134), None);
    }

    #[test]
    fn lockout_off_is_told() {
        assert!(ids(&[("SS_AUTHENTICATION_MAX_RETRY", "0")]).contains(&"lockout-off"));
        assert!(!ids(&[("SS_AUTHENTICATION_MAX_RETRY", "1")]).contains(&"lockout-off"));
    }
}
