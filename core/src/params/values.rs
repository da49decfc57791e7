//! The values in force.

use super::kind;
use super::media_proxy::MediaProxy;
use super::spec::Spec;
use super::table::{TABLE, find, nearest_name};
use super::tos;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Why a parameter was not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// There is none of this name.
    #[error("unknown parameter `{name}`{}", did_you_mean(*nearest))]
    Unknown {
        /// The name given.
        name: String,
        /// The known one it was probably meant to be.
        nearest: Option<&'static str>,
    },
    /// The value does not pass.
    #[error("{name} = {text:?} {reason}")]
    Refused {
        /// The parameter.
        name: &'static str,
        /// The value given.
        text: String,
        /// What is wrong with it; reads on after the value.
        reason: String,
    },
}

/// `, did you mean ...?` or nothing: the end of a message about an unknown name.
pub(crate) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |name| format!(", did you mean `{name}`?"))
}

/// The values in force: what differs from the defaults, and beside it, ready to use, what the switch reads while it works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// Name and listed value of each parameter that differs from its default.
    changed: BTreeMap<String, String>,
    ready: Ready,
}

/// Values in the form they are used in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Ready {
    resend_intervals: Vec<Duration>,
    endpoint_expire: Duration,
    user_agent_expire_s: Option<u32>,
    user_agent_retry_delay: Duration,
    timeout_invite: Duration,
    timeout_trying: Duration,
    timeout_session_progress: Duration,
    timeout_session_progress_sdp: Duration,
    timeout_ringing: Duration,
    max_talk: Option<Duration>,
    auth_code: u16,
    auth_timeout: Duration,
    auth_retry: u32,
    hold_time_precision_ms: u64,
    qos_signal: u8,
    qos_rtp: u8,
    cdr_file_interval: Duration,
    cdr_file_max: usize,
    switch_limit: Option<u16>,
    switch_until_connect: bool,
    switch_stops_after_rtp: bool,
    switch_stops_after_sdp: bool,
    switch_stops_after_invite_timeout: bool,
    media_proxy_mode: MediaProxy,
    media_between_net: bool,
    media_behind_nat: bool,
    media_same_nat: bool,
}

/// The text in force of a parameter that is in the table.
fn text<'c>(changed: &'c BTreeMap<String, String>, name: &str) -> &'c str {
    let spec = || find(name).expect("the switch reads only parameters that the table has");
    changed.get(name).map_or_else(|| spec().default, String::as_str)
}

fn is_on(changed: &BTreeMap<String, String>, name: &str) -> bool {
    text(changed, name) == "On"
}

fn whole(changed: &BTreeMap<String, String>, name: &str) -> u32 {
    text(changed, name).parse().expect("the checked text of a Whole parameter is a u32")
}

impl Ready {
    fn of(changed: &BTreeMap<String, String>) -> Ready {
        let seconds = |name| Duration::from_secs(u64::from(whole(changed, name)));
        let max_talk = seconds("SS_SIP_NO_TIMER_REINVITE_INTERVAL");
        let gaps_ms = kind::intervals_ms(text(changed, "SS_SIP_RESEND_INTERVAL"));
        Ready {
            resend_intervals: gaps_ms
                .expect("a checked resend list reads back")
                .into_iter()
                .map(Duration::from_millis)
                .collect(),
            endpoint_expire: seconds("SS_ENDPOINT_EXPIRE"),
            user_agent_expire_s: text(changed, "SS_SIP_USER_AGENT_EXPIRE").parse().ok(),
            user_agent_retry_delay: seconds("SS_SIP_USER_AGENT_RETRY_DELAY"),
            timeout_invite: seconds("SS_SIP_TIMEOUT_INVITE"),
            timeout_trying: seconds("SS_SIP_TIMEOUT_TRYING"),
            timeout_session_progress: seconds("SS_SIP_TIMEOUT_SESSION_PROGRESS"),
            timeout_session_progress_sdp: seconds("SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP"),
            timeout_ringing: seconds("SS_SIP_TIMEOUT_RINGING"),
            max_talk: (!max_talk.is_zero()).then_some(max_talk),
            auth_code: if text(changed, "SS_SIP_AUTHENTICATION_CODE").contains("407") { 407 } else { 401 },
            auth_timeout: seconds("SS_SIP_AUTHENTICATION_TIMEOUT"),
            auth_retry: whole(changed, "SS_SIP_AUTHENTICATION_RETRY"),
            hold_time_precision_ms: u64::from(whole(changed, "SERVER_BILLING_HOLD_TIME_PRECISION")),
            qos_signal: tos::number(text(changed, "SS_QOS_SIGNAL")).expect("a checked ToS octet reads back"),
            qos_rtp: tos::number(text(changed, "SS_QOS_RTP")).expect("a checked ToS octet reads back"),
            cdr_file_interval: seconds("SERVER_CDR_FILE_WRITE_INTERVAL"),
            cdr_file_max: usize::try_from(whole(changed, "SERVER_CDR_FILE_WRITE_MAX")).expect("usize holds a u32"),
            switch_limit: text(changed, "SS_GATEWAY_SWITCH_LIMIT").parse().ok(),
            switch_until_connect: is_on(changed, "SS_GATEWAY_SWITCH_UNTIL_CONNECT"),
            switch_stops_after_rtp: is_on(changed, "SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START"),
            switch_stops_after_sdp: is_on(changed, "SS_SIP_STOP_SWITCH_AFTER_SDP"),
            switch_stops_after_invite_timeout: is_on(changed, "SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT"),
            media_proxy_mode: MediaProxy::parse(text(changed, "SS_MEDIAPROXYMODE")).expect("a checked mode reads back"),
            media_between_net: is_on(changed, "SS_MEDIAPROXYBETWEENNET"),
            media_behind_nat: is_on(changed, "SS_MEDIAPROXYBEHINDNAT"),
            media_same_nat: is_on(changed, "SS_MEDIAPROXYSAMENAT"),
        }
    }
}

impl Default for Parameters {
    /// Every parameter at its default.
    fn default() -> Parameters {
        let changed = BTreeMap::new();
        Parameters { ready: Ready::of(&changed), changed }
    }
}

/// Any parameter, by name.
impl Parameters {
    /// The value in force, as listed; `None` where the table has no such name.
    pub fn get(&self, name: &str) -> Option<String> {
        let spec = find(name)?;
        Some(text(&self.changed, spec.name).to_owned())
    }

    /// Sets one.
    ///
    /// # Errors
    /// An unknown name with the nearest known one, or the reason why the value does not pass; nothing is changed then.
    ///
    /// ```
    /// use crosspoint_core::params::Parameters;
    /// let mut parameters = Parameters::default();
    /// parameters.set("SS_QOS_SIGNAL", "CS3")?;
    /// assert_eq!(parameters.get("SS_QOS_SIGNAL").as_deref(), Some("0x60"));
    /// assert_eq!(parameters.qos_signal(), 0x60);
    /// # Ok::<(), crosspoint_core::params::ParamError>(())
    /// ```
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ParamError> {
        let unknown = || ParamError::Unknown { name: name.to_owned(), nearest: nearest_name(name) };
        let spec = find(name).ok_or_else(unknown)?;
        let checked = spec.check(text)?;
        if checked.text == spec.default {
            self.changed.remove(spec.name);
        } else {
            self.changed.insert(spec.name.to_owned(), checked.text);
        }
        self.ready = Ready::of(&self.changed);
        Ok(())
    }

    /// Every parameter with its value in force, in the order of the table.
    pub fn list(&self) -> impl Iterator<Item = (&'static Spec, &str)> {
        TABLE.iter().map(|spec| (spec, text(&self.changed, spec.name)))
    }

    /// The parameters that differ from their default, with the value in force, by name.
    pub fn changed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.changed.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Those that the switch reads while it works, ready to use.
impl Parameters {
    /// SS_SIP_RESEND_INTERVAL: 1 to 32 gaps between resends.
    pub fn resend_intervals(&self) -> &[Duration] {
        &self.ready.resend_intervals
    }

    /// SS_ENDPOINT_EXPIRE: default and longest life of a registration.
    pub fn endpoint_expire(&self) -> Duration {
        self.ready.endpoint_expire
    }

    /// SS_SIP_USER_AGENT_EXPIRE, seconds: life that is asked for where the switch registers to others; `None` is Auto.
    pub fn user_agent_expire_s(&self) -> Option<u32> {
        self.ready.user_agent_expire_s
    }

    /// SS_SIP_USER_AGENT_RETRY_DELAY: pause after a failed registration to others.
    pub fn user_agent_retry_delay(&self) -> Duration {
        self.ready.user_agent_retry_delay
    }

    /// SS_SIP_TIMEOUT_INVITE: how long an INVITE may go without any answer.
    pub fn timeout_invite(&self) -> Duration {
        self.ready.timeout_invite
    }

    /// SS_SIP_TIMEOUT_TRYING: how long after 100 nothing more may come.
    pub fn timeout_trying(&self) -> Duration {
        self.ready.timeout_trying
    }

    /// SS_SIP_TIMEOUT_SESSION_PROGRESS: how long after 183 without SDP nothing more may come.
    pub fn timeout_session_progress(&self) -> Duration {
        self.ready.timeout_session_progress
    }

    /// SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP: how long after 183 with SDP no answer may come.
    pub fn timeout_session_progress_sdp(&self) -> Duration {
        self.ready.timeout_session_progress_sdp
    }

    /// SS_SIP_TIMEOUT_RINGING: how long after 180 no answer may come.
    pub fn timeout_ringing(&self) -> Duration {
        self.ready.timeout_ringing
    }

    /// SS_SIP_NO_TIMER_REINVITE_INTERVAL: longest conversation where a leg has no session timer; `None` is no limit.
    pub fn max_talk(&self) -> Option<Duration> {
        self.ready.max_talk
    }

    /// SS_SIP_AUTHENTICATION_CODE: 401 or 407, for everything but REGISTER.
    pub fn auth_code(&self) -> u16 {
        self.ready.auth_code
    }

    /// SS_SIP_AUTHENTICATION_TIMEOUT: time to answer a fresh challenge.
    pub fn auth_timeout(&self) -> Duration {
        self.ready.auth_timeout
    }

    /// SS_SIP_AUTHENTICATION_RETRY: most challenges in one exchange.
    pub fn auth_retry(&self) -> u32 {
        self.ready.auth_retry
    }

    /// SERVER_BILLING_HOLD_TIME_PRECISION, milliseconds, 0 to 999.
    pub fn hold_time_precision_ms(&self) -> u64 {
        self.ready.hold_time_precision_ms
    }

    /// SS_QOS_SIGNAL: the type-of-service octet of signalling; its two ECN bits are 0.
    pub fn qos_signal(&self) -> u8 {
        self.ready.qos_signal
    }

    /// SS_QOS_RTP, the type-of-service octet.
    pub fn qos_rtp(&self) -> u8 {
        self.ready.qos_rtp
    }

    /// SERVER_CDR_FILE_WRITE_INTERVAL: a new CDR file begins after this time.
    pub fn cdr_file_interval(&self) -> Duration {
        self.ready.cdr_file_interval
    }

    /// SERVER_CDR_FILE_WRITE_MAX: how many CDR files are kept.
    pub fn cdr_file_max(&self) -> usize {
        self.ready.cdr_file_max
    }

    /// SS_GATEWAY_SWITCH_LIMIT: most gateways tried for one call; `None` is all.
    pub fn switch_limit(&self) -> Option<u16> {
        self.ready.switch_limit
    }

    /// SS_GATEWAY_SWITCH_UNTIL_CONNECT: further gateways are tried though one has rung.
    pub fn switch_until_connect(&self) -> bool {
        self.ready.switch_until_connect
    }

    /// SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START: no further gateway is tried once media flows.
    pub fn switch_stops_after_rtp(&self) -> bool {
        self.ready.switch_stops_after_rtp
    }

    /// SS_SIP_STOP_SWITCH_AFTER_SDP: no further gateway is tried once one has sent SDP.
    pub fn switch_stops_after_sdp(&self) -> bool {
        self.ready.switch_stops_after_sdp
    }

    /// SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT: no further gateway is tried where one gave no answer at all.
    pub fn switch_stops_after_invite_timeout(&self) -> bool {
        self.ready.switch_stops_after_invite_timeout
    }
}

/// The media proxy.
impl Parameters {
    /// SS_MEDIAPROXYMODE.
    pub fn media_proxy_mode(&self) -> MediaProxy {
        self.ready.media_proxy_mode
    }

    /// SS_MEDIAPROXYBETWEENNET: rule S6 is in force.
    pub fn media_between_net(&self) -> bool {
        self.ready.media_between_net
    }

    /// SS_MEDIAPROXYBEHINDNAT: rule S7 is in force.
    pub fn media_behind_nat(&self) -> bool {
        self.ready.media_behind_nat
    }

    /// SS_MEDIAPROXYSAMENAT: rule S7 is in force between two sides behind one address too.
    pub fn media_same_nat(&self) -> bool {
        self.ready.media_same_nat
    }
}

/// Those that only the checks read.
impl Parameters {
    pub(super) fn whole(&self, name: &str) -> u32 {
        whole(&self.changed, name)
    }

    /// SS_RTP_PORT_RANGE: UDP ports of relayed media.
    pub fn rtp_ports(&self) -> RangeInclusive<u16> {
        let (first, last) = self.ports("SS_RTP_PORT_RANGE");
        first..=last
    }

    /// IVR_RTP_PORT: UDP ports of tones and announcements.
    pub fn ivr_ports(&self) -> RangeInclusive<u16> {
        let (first, last) = self.ports("IVR_RTP_PORT");
        first..=last
    }

    pub(super) fn ports(&self, name: &str) -> (u16, u16) {
        kind::ports(text(&self.changed, name)).expect("a checked port range reads back")
    }
}

#[cfg(test)]
mod tests {
    use super::{ParamError, Parameters};
    use crate::params::TABLE;
    use std::time::Duration;

    #[test]
    fn defaults_are_those_of_the_specification() {
        let p = Parameters::default();
        let seconds = Duration::from_secs;
        let gaps_ms: Vec<u128> = p.resend_intervals().iter().map(Duration::as_millis).collect();
        assert_eq!(gaps_ms, [500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000, 4000]);
        assert_eq!((p.endpoint_expire(), p.max_talk()), (seconds(3600), Some(seconds(7200))));
        assert_eq!((p.user_agent_expire_s(), p.user_agent_retry_delay()), (None, seconds(60)));
        assert_eq!((p.timeout_invite(), p.timeout_trying()), (seconds(10), seconds(20)));
        assert_eq!(
            (p.timeout_session_progress(), p.timeout_session_progress_sdp(), p.timeout_ringing()),
            (seconds(20), seconds(120), seconds(120))
        );
        assert_eq!((p.auth_code(), p.auth_timeout(), p.auth_retry()), (401, seconds(10), 6));
        assert_eq!((p.hold_time_precision_ms(), p.qos_signal(), p.qos_rtp()), (50, 0xa0, 0xa0));
        assert_eq!((p.cdr_file_interval(), p.cdr_file_max()), (seconds(60), 2048));
    }

    #[test]
    fn what_is_set_is_read_and_listed() {
        let mut p = Parameters::default();
        for (name, text) in [
            ("SS_SIP_AUTHENTICATION_CODE", "407"),
            ("SS_SIP_NO_TIMER_REINVITE_INTERVAL", "0"),
            ("ss_sip_resend_interval", "1, 2"),
            ("SERVER_CDR_FILE_WRITE_MAX", "7"),
        ] {
            p.set(name, text).expect("in range");
        }
        assert_eq!((p.auth_code(), p.max_talk(), p.cdr_file_max()), (407, None, 7));
        assert_eq!(p.resend_intervals(), [Duration::from_secs(1), Duration::from_secs(2)]);
        assert_eq!(p.get("SS_SIP_RESEND_INTERVAL").as_deref(), Some("1,2"));
        assert_eq!(p.changed().count(), 4);
        assert_eq!(p.list().count(), TABLE.len());
    }

    #[test]
    fn a_default_written_out_is_the_default() {
        let mut p = Parameters::default();
        for spec in TABLE {
            p.set(spec.name, spec.default).unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(p, Parameters::default());
    }

    #[test]
    fn listed_values_can_be_set_again() {
        let mut p = Parameters::default();
        for spec in TABLE {
            let listed = p.get(spec.name).expect("the table has it");
            p.set(spec.name, &listed).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(p.get(spec.name), Some(listed));
        }
    }

    #[test]
    fn refusals_say_why_and_change_nothing() {
        let mut p = Parameters::default();
        let error = p.set("SS_ENDPOINT_EXPIRES", "60").expect_err("no such name");
        assert_eq!(error.to_string(), "unknown parameter `SS_ENDPOINT_EXPIRES`, did you mean `SS_ENDPOINT_EXPIRE`?");
        let error = p.set("SERVER_BILLING_HOLD_TIME_PRECISION", "1000").expect_err("out of range");
        assert!(matches!(error, ParamError::Refused { name: "SERVER_BILLING_HOLD_TIME_PRECISION", .. }));
        assert_eq!(
            error.to_string(),
            "SERVER_BILLING_HOLD_TIME_PRECISION = \"1000\" must be a whole number from 0 to 999"
        );
        assert_eq!(p, Parameters::default());
    }
}
