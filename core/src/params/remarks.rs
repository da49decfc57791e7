//! What no single value shows: rules between parameters, and values that are allowed but rarely meant.

use super::values::Parameters;
use crate::finding::Level;
use std::ops::RangeInclusive;

/// Ports that Linux gives to outgoing connections by default (`net.ipv4.ip_local_port_range`).
pub const EPHEMERAL_PORTS: RangeInclusive<u16> = 32_768..=60_999;

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

/// Checks the values as a whole; `ephemeral` are the ports that the system gives to outgoing connections.
pub fn remarks(parameters: &Parameters, ephemeral: RangeInclusive<u16>) -> Vec<Remark> {
    let mut found = Vec::new();
    found.extend(session_interval(parameters));
    found.extend(lockout(parameters));
    found.extend(ports_overlap(parameters));
    for range in [&["SS_RTP_PORT_RANGE"] as &'static [&'static str], &["IVR_RTP_PORT"], &["SS_H245_PORT_RANGE"]] {
        found.extend(ephemeral_ports(parameters, range, &ephemeral));
    }
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
            "SS_RTP_PORT_RANGE {rtp_first},{rtp_last} and IVR_RTP_PORT {ivr_first},{ivr_last} have ports {},{} in common",
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

/// Open files besides those of media ports: signalling sockets and connections, journals, records.
const OTHER_FILES: u64 = 1024;

/// Checks the media ports against the number of files that the process may have open (`ulimit -n`, as far as it can be
/// raised): with all of them in use each is one (user-pains 6).
pub fn open_files(parameters: &Parameters, limit: u64) -> Option<Remark> {
    let ranges = [parameters.rtp_ports(), parameters.ivr_ports()];
    let ports: u64 = ranges.iter().map(|range| range.len() as u64).sum();
    let needed = ports + OTHER_FILES;
    (limit < needed).then(|| Remark {
        parameters: &["SS_RTP_PORT_RANGE", "IVR_RTP_PORT"],
        level: Level::Warning,
        id: "open-files",
        text: format!(
            "the media ports are {ports}, each of them an open file while in use, and the limit of open files is {limit}: \
             {} of them can be used; raise it to {needed} (ulimit -n, LimitNOFILE=)",
            limit.saturating_sub(OTHER_FILES)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::{EPHEMERAL_PORTS, open_files, remarks};
    use crate::finding::Level;
    use crate::params::Parameters;

    fn ids(values: &[(&str, &str)]) -> Vec<&'static str> {
        let mut parameters = Parameters::default();
        for (name, value) in values {
            parameters.set(name, value).expect("in range");
        }
        remarks(&parameters, EPHEMERAL_PORTS).iter().map(|remark| remark.id).collect()
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
        assert!(found.text.contains("37999 of them can be used; raise it to 39024"), "{}", found.text);
        assert!(remark(1000).is_some_and(|found| found.text.contains(" 0 of them")));
    }

    #[test]
    fn lockout_off_is_told() {
        assert!(ids(&[("SS_AUTHENTICATION_MAX_RETRY", "0")]).contains(&"lockout-off"));
        assert!(!ids(&[("SS_AUTHENTICATION_MAX_RETRY", "1")]).contains(&"lockout-off"));
    }
}
