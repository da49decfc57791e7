//! `[[phone]]`.

use super::endpoint;
use super::model::Config;
use super::parse_identity;
use super::parse_tones;
use super::phones::{Block, Phones, Profile, Single};
use super::reader::{At, Reader, Section};
use crate::auth::{Algorithm, Secret};
use std::collections::BTreeSet;

const KEYS: &[&str] = &[
    "user",
    "users",
    "password",
    "ha1_md5",
    "ha1_sha256",
    "media_proxy",
    "rtp_interruption",
    "rtp_interruption_s",
    "local_ring",
    "ringback",
    "encryption",
    "caller_id",
    "max_calls",
];

/// Longest user name, octets: more than any number or mail name has, and far from the longest datagram.
const USER_BYTES: usize = 128;

pub(super) fn read(reader: &mut Reader<'_>, root: &Section<'_>, config: &Config) -> Phones {
    let mut singles = Vec::new();
    let mut blocks: Vec<Block> = Vec::new();
    let mut names = BTreeSet::new();
    for table in reader.tables(root, "phone", "[[phone]]") {
        reader.known_keys(&table, &[KEYS, parse_identity::KEYS].concat());
        let profile = profile(reader, &table, config);
        match (reader.text(&table, "user"), reader.text(&table, "users")) {
            (Some(_), Some(users)) => {
                reader.error(&users.span, "value", "a [[phone]] has either `user` or `users`");
            }
            (Some(user), None) => {
                let Some(name) = user_name(reader, &user) else { continue };
                if !names.insert(name.clone()) {
                    reader.error(&user.span, "duplicate", format!("there is a phone `{name}` already"));
                }
                singles.push(Single { user: name, profile });
            }
            (None, Some(users)) => blocks.extend(block(reader, &table, &users, profile, &blocks)),
            (None, None) if table.get("user").is_none() && table.get("users").is_none() => {
                reader.missing(&table, "user");
            }
            (None, None) => {}
        }
    }
    Phones::new(singles, blocks)
}

fn block(
    reader: &mut Reader<'_>,
    table: &Section<'_>,
    users: &At<&str>,
    profile: Profile,
    earlier: &[Block],
) -> Option<Block> {
    for key in ["ha1_md5", "ha1_sha256"] {
        if let Some(value) = table.get(key) {
            let text = format!("`{key}` is good for one user only; a block of phones has a `password`");
            reader.error(&value.span(), "value", text);
        }
    }
    let block = Block::parse(users.value, profile);
    match &block {
        Err(reason) => reader.error(&users.span, "value", format!("`users` {reason}")),
        Ok(block) if !valid_user(users.value) => {
            reader.error(&users.span, "value", format!("`{}` cannot begin a user name", block.prefix));
        }
        Ok(block) if earlier.iter().any(|other| other.overlaps(block)) => {
            reader.error(&users.span, "duplicate", "has a phone in common with an earlier block");
        }
        Ok(_) => {}
    }
    block.ok()
}

/// Whether this may stand before the `@` of a SIP URI as it is, or with escapes (RFC 3261 §25.1 `user`).
fn valid_user(user: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '@' | ':' | '<' | '>' | '"');
    !user.is_empty() && user.len() <= USER_BYTES && !user.contains(odd)
}

fn user_name(reader: &mut Reader<'_>, user: &At<&str>) -> Option<String> {
    let valid = valid_user(user.value);
    if !valid {
        let text = format!("`user` must have 1 to {USER_BYTES} octets, and no space, quote, `@`, `:`, `<` or `>`");
        reader.error(&user.span, "value", text);
    }
    valid.then(|| user.value.to_owned())
}

fn profile(reader: &mut Reader<'_>, table: &Section<'_>, config: &Config) -> Profile {
    let secret = secret(reader, table, &config.digest_algorithms);
    let caller_id = reader.text(table, "caller_id");
    if let Some(caller_id) = caller_id.as_ref().filter(|id| !valid_user(id.value)) {
        reader.error(&caller_id.span, "value", "`caller_id` must be a number or name without spaces");
    }
    let local_ring = reader.boolean(table, "local_ring").is_some_and(|flag| flag.value);
    Profile {
        caller_id: caller_id.map(|id| id.value.to_owned()),
        media_proxy: endpoint::media_proxy(reader, table, &config.parameters),
        watch: endpoint::watch(reader, table),
        local_ring,
        ringback: parse_tones::of_phone(reader, table, local_ring, &config.tones),
        encryption: endpoint::flag(reader, table, "encryption"),
        max_calls: reader.whole(table, "max_calls", 0..=1_000_000).map_or(0, |calls| calls.value),
        identity: parse_identity::phone(reader, table),
        ..Profile::new(secret)
    }
}

/// The one of `password` and `ha1_*` that is there.
fn secret(reader: &mut Reader<'_>, table: &Section<'_>, offered: &[Algorithm]) -> Secret {
    let password = reader.text(table, "password");
    let md5 = reader.text(table, "ha1_md5");
    let sha256 = reader.text(table, "ha1_sha256");
    let hashed = md5.as_ref().or(sha256.as_ref()).map(|hash| hash.span.clone());
    match (password, hashed) {
        (Some(password), None) => {
            if password.value.is_empty() {
                reader.error(&password.span, "value", "`password` must not be empty");
            }
            Secret::Password(password.value.to_owned())
        }
        (None, Some(span)) => {
            let md5: Option<[u8; 16]> = md5.and_then(|hash| hex(reader, "ha1_md5", &hash));
            let sha256: Option<[u8; 32]> = sha256.and_then(|hash| hex(reader, "ha1_sha256", &hash));
            for algorithm in offered {
                let checkable = match algorithm {
                    Algorithm::Md5 => table.get("ha1_md5").is_some(),
                    Algorithm::Sha256 => table.get("ha1_sha256").is_some(),
                    Algorithm::Sha512_256 => false,
                };
                if !checkable {
                    let name = algorithm.name();
                    let text = format!(
                        "{name} is offered (digest_algorithms), and an answer with it cannot be checked without the password"
                    );
                    reader.warn(&span, "ha1-missing", text);
                }
            }
            Secret::Ha1 { md5, sha256 }
        }
        (Some(_), Some(span)) => {
            reader.error(&span, "value", "a [[phone]] has either `password` or `ha1_md5` and `ha1_sha256`");
            Secret::Ha1 { md5: None, sha256: None }
        }
        (None, None) => {
            if ["password", "ha1_md5", "ha1_sha256"].iter().all(|key| table.get(key).is_none()) {
                reader.missing(table, "password");
            }
            Secret::Ha1 { md5: None, sha256: None }
        }
    }
}

/// The octets of a hash written in hexadecimal.
fn hex<const N: usize>(reader: &mut Reader<'_>, key: &str, text: &At<&str>) -> Option<[u8; N]> {
    let octets = parse_hex(text.value);
    if octets.is_none() {
        reader.error(&text.span, "value", format!("`{key}` must be {} hexadecimal digits", N * 2));
    }
    octets
}

fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = text.as_bytes().iter().map(digit).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let octets: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    octets.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{parse_hex, valid_user};

    #[test]
    fn hexadecimal() {
        assert_eq!(parse_hex::<2>("0aFf"), Some([0x0a, 0xff]));
        for refused in ["", "0a", "0aF", "0aFf0", "0aFg", "0aé"] {
            assert_eq!(parse_hex::<2>(refused), None, "{refused}");
        }
    }

    #[test]
    fn user_names() {
        assert!(["1001", "+491", "al.ice", "*9", "é"].into_iter().all(valid_user));
        assert!(!["", "a b", "a@b", "a:b", "<a>", "a\"", "a\u{7f}"].into_iter().any(valid_user));
        assert!(!valid_user(&"1".repeat(129)));
    }
}
