//! The media-proxy mode, global (SS_MEDIAPROXYMODE) and of an endpoint.

use super::kind::{Choice, Kind};
use serde::{Deserialize, Serialize};

/// Whether media goes through the switch (behaviour 1(a)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaProxy {
    /// The rules S1 to S8 decide.
    #[default]
    Auto,
    /// Relayed, unless the other side forbids it.
    On,
    /// Direct, unless the other side forces the relay.
    Off,
    /// Relayed, whatever the other side says.
    MustOn,
}

/// The names with the codes of the VOS web interface (behaviour 1(a)).
pub(super) const CHOICES: &[Choice] = &[
    Choice { name: "Auto", code: 0 },
    Choice { name: "On", code: 1 },
    Choice { name: "Off", code: 2 },
    Choice { name: "Must On", code: 3 },
];

impl MediaProxy {
    /// The name, as configured and listed.
    pub fn name(self) -> &'static str {
        match self {
            MediaProxy::Auto => "Auto",
            MediaProxy::On => "On",
            MediaProxy::Off => "Off",
            MediaProxy::MustOn => "Must On",
        }
    }

    /// Reads a name or a code of 0 to 3.
    ///
    /// # Errors
    /// Says which values there are.
    pub fn parse(text: &str) -> Result<MediaProxy, String> {
        let checked = Kind::Choice(CHOICES).check(text)?;
        let modes = [MediaProxy::Auto, MediaProxy::On, MediaProxy::Off, MediaProxy::MustOn];
        Ok(modes.into_iter().find(|mode| mode.name() == checked.text).expect("every choice names a mode"))
    }
}

#[cfg(test)]
mod tests {
    use super::MediaProxy;

    #[test]
    fn names_and_codes() {
        for (written, mode) in [
            ("Auto", MediaProxy::Auto),
            ("0", MediaProxy::Auto),
            ("1", MediaProxy::On),
            ("2", MediaProxy::Off),
            ("3", MediaProxy::MustOn),
            ("must on", MediaProxy::MustOn),
        ] {
            assert_eq!(MediaProxy::parse(written), Ok(mode));
            assert_eq!(MediaProxy::parse(mode.name()), Ok(mode));
        }
        assert!(MediaProxy::parse("4").is_err());
    }
}
