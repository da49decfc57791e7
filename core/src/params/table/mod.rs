//! The parameter table: behaviour.md §2, and the parameters of §3 that have a name, section by section.

mod auth;
mod billing;
mod failover;
mod h323;
mod media;
mod qos;
mod registration;
mod sip;

use super::spec::Spec;
use crate::nearest::nearest;

/// The sections in the order of the reference.
const SECTIONS: [&[Spec]; 8] = [
    media::SPECS,
    sip::SPECS,
    auth::SPECS,
    registration::SPECS,
    failover::SPECS,
    qos::SPECS,
    h323::SPECS,
    billing::SPECS,
];

const COUNT: usize = {
    let mut count = 0;
    let mut section = 0;
    while section < SECTIONS.len() {
        count += SECTIONS[section].len();
        section += 1;
    }
    count
};

const ROWS: [Spec; COUNT] = {
    let mut rows = [SECTIONS[0][0]; COUNT];
    let (mut section, mut row, mut filled) = (0, 0, 0);
    while section < SECTIONS.len() {
        while row < SECTIONS[section].len() {
            rows[filled] = SECTIONS[section][row];
            row += 1;
            filled += 1;
        }
        section += 1;
        row = 0;
    }
    rows
};

/// Every parameter.
pub static TABLE: &[Spec] = &ROWS;

/// The row of this name. VOS names are upper case; a written one in lower case is taken too.
pub fn find(name: &str) -> Option<&'static Spec> {
    TABLE.iter().find(|spec| spec.name.eq_ignore_ascii_case(name))
}

/// The known name that a mistyped one was probably meant to be.
pub fn nearest_name(name: &str) -> Option<&'static str> {
    nearest(name, TABLE.iter().map(|spec| spec.name))
}

#[cfg(test)]
mod tests {
    use super::{TABLE, find, nearest_name};

    #[test]
    fn every_default_passes_its_own_check_unchanged() {
        for spec in TABLE {
            let checked = spec.check(spec.default).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((checked.text.as_str(), checked.warning), (spec.default, None), "{}", spec.name);
        }
    }

    #[test]
    fn names_are_unique_and_rows_complete() {
        for (i, spec) in TABLE.iter().enumerate() {
            assert!(TABLE.iter().skip(i + 1).all(|other| other.name != spec.name), "{} twice", spec.name);
            assert!(!spec.help.is_empty() && !spec.help.ends_with('.'), "{}", spec.name);
        }
    }

    #[test]
    fn names_are_found_and_mistyped_ones_helped() {
        assert!(find("ss_qos_signal").is_some());
        assert!(find("SS_QOS_SIGNALS").is_none());
        assert_eq!(nearest_name("SS_QOS_SIGNALS"), Some("SS_QOS_SIGNAL"));
        assert_eq!(nearest_name("SS_MEDIA_PROXY_MODE"), Some("SS_MEDIAPROXYMODE"));
        assert_eq!(nearest_name("LOG_LEVEL"), None);
    }
}
