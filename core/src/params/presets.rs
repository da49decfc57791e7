//! Named sets of values (behaviour 2.2, 2.4, 2.5). `presets = [...]` under `[switch]` lays them under `[parameters]`.

/// A set of values with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// As configured.
    pub name: &'static str,
    /// What it is meant for.
    pub help: &'static str,
    /// Parameters with their values.
    pub values: &'static [(&'static str, &'static str)],
}

const MAX_RETRY: &str = "SS_AUTHENTICATION_MAX_RETRY";
const SUSPEND: &str = "SS_AUTHENTICATION_FAILED_SUSPEND";
const TTL: &str = "SS_SIP_SESSION_TTL";
const SEGMENT: &str = "SS_SIP_SESSION_UPDATE_SEGMENT";
const NO_TIMER: &str = "SS_SIP_NO_TIMER_REINVITE_INTERVAL";
const RTP: &str = "SS_RTP_PORT_RANGE";
const IVR: &str = "IVR_RTP_PORT";

/// Every preset.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "lockout-strict",
        help: "Lockout after 3 failures, for 300 s",
        values: &[(MAX_RETRY, "3"), (SUSPEND, "300")],
    },
    Preset {
        name: "lockout-standard",
        help: "Lockout after 6 failures, for 180 s",
        values: &[(MAX_RETRY, "6"), (SUSPEND, "180")],
    },
    Preset {
        name: "lockout-lenient",
        help: "Lockout after 10 failures, for 60 s",
        values: &[(MAX_RETRY, "10"), (SUSPEND, "60")],
    },
    Preset {
        name: "session-standard",
        help: "Session timer for ordinary telephony",
        values: &[(TTL, "1800"), (SEGMENT, "300"), (NO_TIMER, "7200")],
    },
    Preset {
        name: "session-trunk",
        help: "Session timer for trunks",
        values: &[(TTL, "3600"), (SEGMENT, "600"), (NO_TIMER, "14400")],
    },
    Preset {
        name: "session-calling-card",
        help: "Session timer for calling cards",
        values: &[(TTL, "900"), (SEGMENT, "180"), (NO_TIMER, "3600")],
    },
    Preset {
        name: "session-enterprise",
        help: "Session timer for an enterprise",
        values: &[(TTL, "1800"), (SEGMENT, "300"), (NO_TIMER, "28800")],
    },
    Preset {
        name: "ports-small",
        help: "Media ports for fewer than 500 calls",
        values: &[(RTP, "10000,19999"), (IVR, "40000,40999")],
    },
    Preset {
        name: "ports-medium",
        help: "Media ports for 500 to 2,000 calls",
        values: &[(RTP, "10000,29999"), (IVR, "40000,41999")],
    },
    Preset {
        name: "ports-large",
        help: "Media ports for 2,000 to 5,000 calls",
        values: &[(RTP, "10000,39999"), (IVR, "40000,44999")],
    },
    Preset {
        name: "ports-carrier",
        help: "Media ports for more than 5,000 calls",
        values: &[(RTP, "10000,59999"), (IVR, "60000,64999")],
    },
];

#[cfg(test)]
mod tests {
    use super::PRESETS;
    use crate::finding::Level;
    use crate::params::{Parameters, System, remarks};

    #[test]
    fn every_preset_applies_without_an_error() {
        for preset in PRESETS {
            let mut parameters = Parameters::default();
            for (name, value) in preset.values {
                parameters.set(name, value).unwrap_or_else(|error| panic!("{}: {error}", preset.name));
            }
            let found = remarks(&parameters, &System::default());
            assert!(found.iter().all(|remark| remark.level == Level::Warning), "{}: {found:?}", preset.name);
        }
    }
}
