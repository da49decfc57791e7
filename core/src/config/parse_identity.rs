//! The identity keys of `[[gateway]]` and `[[phone]]`.

use super::identity::{Claim, Display, IdentityPolicy, Privacy, Trail};
use super::reader::{Reader, Section};
use crate::nearest::nearest;
use crate::params::did_you_mean;

pub(super) const KEYS: &[&str] = &[
    "trusted",
    "display",
    "remote_party_id",
    "privacy",
    "p_asserted_identity",
    "p_preferred_identity",
    "diversion",
    "history_info",
];

const DISPLAYS: &[(&str, Display)] =
    &[("passthrough", Display::Passthrough), ("none", Display::None), ("number", Display::Number)];
const CLAIMS: &[(&str, Claim)] =
    &[("none", Claim::None), ("passthrough", Claim::Passthrough), ("caller", Claim::Caller)];
const PRIVACIES: &[(&str, Privacy)] =
    &[("none", Privacy::None), ("passthrough", Privacy::Passthrough), ("id", Privacy::Id)];
const TRAILS: &[(&str, Trail)] = &[("none", Trail::None), ("passthrough", Trail::Passthrough)];

/// Of a gateway.
pub(super) fn gateway(reader: &mut Reader<'_>, table: &Section<'_>) -> IdentityPolicy {
    let policy = read(reader, table, IdentityPolicy::GATEWAY);
    if let Some(written) = table.get("privacy").filter(|_| policy.trusted && policy.privacy == Privacy::None) {
        let text = "without a Privacy header a caller who asks for privacy is withheld from this gateway whole, the \
                    number too";
        reader.warn(&written.span(), "identity-withheld", text);
    }
    policy
}

/// Of a phone.
pub(super) fn phone(reader: &mut Reader<'_>, table: &Section<'_>) -> IdentityPolicy {
    let policy = read(reader, table, IdentityPolicy::PHONE);
    if let Some(written) = table.get("trusted").filter(|_| policy.trusted) {
        let text = "a trusted phone sees the numbers of callers who withhold theirs, and may say that it is anybody";
        reader.warn(&written.span(), "identity-trust", text);
    }
    policy
}

fn read(reader: &mut Reader<'_>, table: &Section<'_>, default: IdentityPolicy) -> IdentityPolicy {
    IdentityPolicy {
        trusted: reader.boolean(table, "trusted").map_or(default.trusted, |trusted| trusted.value),
        display: word(reader, table, "display", DISPLAYS, default.display),
        remote_party_id: word(reader, table, "remote_party_id", CLAIMS, default.remote_party_id),
        privacy: word(reader, table, "privacy", PRIVACIES, default.privacy),
        p_asserted_identity: word(reader, table, "p_asserted_identity", CLAIMS, default.p_asserted_identity),
        p_preferred_identity: word(reader, table, "p_preferred_identity", CLAIMS, default.p_preferred_identity),
        diversion: word(reader, table, "diversion", TRAILS, default.diversion),
        history_info: word(reader, table, "history_info", TRAILS, default.history_info),
    }
}

/// One of these words.
fn word<T: Copy>(reader: &mut Reader<'_>, table: &Section<'_>, key: &str, words: &[(&str, T)], default: T) -> T {
    let Some(text) = reader.text(table, key) else { return default };
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
        return *value;
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let hint = did_you_mean(nearest(text.value, names.iter().copied()));
    reader.error(&text.span, "value", format!("`{key}` must be one of {}{hint}", names.join(", ")));
    default
}

#[cfg(test)]
mod tests {
    use crate::config::{Claim, Display, IdentityPolicy, Privacy, Trail, parse};

    const GATEWAY: &str = "[[gateway]]\nname = \"g\"\ndirection = \"both\"\npeers = [\"192.0.2.1\"]\n";
    const PHONE: &str = "[[phone]]\nuser = \"1001\"\npassword = \"x\"\n";

    #[test]
    fn gateways_are_trusted_and_phones_are_not() {
        let config = parse(&format!("{GATEWAY}{PHONE}")).expect("good").config;
        assert_eq!(config.gateways.get(0).expect("one").identity, IdentityPolicy::GATEWAY);
        let phone = config.phones.find("1001").expect("one").identity;
        assert_eq!(phone, IdentityPolicy::PHONE);
        assert!(!phone.trusted && phone.p_asserted_identity == Claim::None);
    }

    #[test]
    fn every_key_is_read() {
        let keys = "trusted = false\ndisplay = \"number\"\nremote_party_id = \"caller\"\nprivacy = \"id\"\n\
                    p_asserted_identity = \"caller\"\np_preferred_identity = \"passthrough\"\ndiversion = \"none\"\n\
                    history_info = \"none\"\n";
        let config = parse(&format!("{GATEWAY}{keys}")).expect("good").config;
        let wanted = IdentityPolicy {
            trusted: false,
            display: Display::Number,
            remote_party_id: Claim::Caller,
            privacy: Privacy::Id,
            p_asserted_identity: Claim::Caller,
            p_preferred_identity: Claim::Passthrough,
            diversion: Trail::None,
            history_info: Trail::None,
        };
        assert_eq!(config.gateways.get(0).expect("one").identity, wanted);
    }

    #[test]
    fn words_that_are_none_and_settings_that_surprise() {
        let faults =
            parse(&format!("{GATEWAY}privacy = \"idd\"\ndiversion = \"caller\"\ntrusted = 1\n")).expect_err("bad");
        insta::assert_snapshot!(faults.to_string());
        let parsed = parse(&format!("{GATEWAY}privacy = \"none\"\n{PHONE}trusted = true\n")).expect("good");
        let warnings: Vec<String> = parsed.warnings.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(warnings.join("\n"));
    }
}
