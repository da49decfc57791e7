//! The phones: single ones and blocks, found by user name.

use super::MediaWatch;
use super::identity::IdentityPolicy;
use super::tones::Ringback;
use crate::auth::Secret;
use crate::params::MediaProxy;
use serde::{Deserialize, Serialize};

/// Most digits of a user name that a block counts in; as many as always fit 64 bits. Digits before them are prefix.
const COUNTED_DIGITS: usize = 18;

/// The phones that may register. A block costs the same however many numbers it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phones {
    /// By user name.
    singles: Vec<Single>,
    /// By prefix, width and first number; none overlaps another.
    blocks: Vec<Block>,
}

/// One phone with a table of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Single {
    /// Its user name.
    pub user: String,
    /// Everything else.
    pub profile: Profile,
}

/// Phones whose names differ in a number only: `users = "u00000..u09999"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What stands before the number.
    pub prefix: String,
    /// Digits of the number, leading zeros included.
    pub width: usize,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// What all of them have.
    pub profile: Profile,
}

/// What is configured for a phone besides its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What its digest answers are checked with.
    pub secret: Secret,
    /// The number it shows, where it is not its user name.
    pub caller_id: Option<String>,
    /// Its side of the media-proxy decision.
    pub media_proxy: MediaProxy,
    /// What is watched in its media.
    pub watch: MediaWatch,
    /// Whether the switch plays the ringback tone to those who call it.
    pub local_ring: bool,
    /// Which, where it is not that of [`super::Tones`].
    pub ringback: Option<Ringback>,
    /// Whether signalling and media encryption are expected from it.
    pub encryption: bool,
    /// Most concurrent calls, in and out together; 0 is no limit.
    pub max_calls: u32,
    /// What it is shown of who calls, and what it is believed.
    pub identity: IdentityPolicy,
}

impl Profile {
    /// A phone of which only the secret is known.
    pub fn new(secret: Secret) -> Profile {
        Profile {
            secret,
            caller_id: None,
            media_proxy: MediaProxy::Auto,
            watch: MediaWatch::default(),
            local_ring: false,
            ringback: None,
            encryption: false,
            max_calls: 0,
            identity: IdentityPolicy::PHONE,
        }
    }
}

/// A phone, as found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phone<'p> {
    /// Its user name.
    pub user: &'p str,
    /// What its digest answers are checked with.
    pub secret: &'p Secret,
    /// The number it shows, where it is not its user name.
    pub caller_id: Option<&'p str>,
    /// Its side of the media-proxy decision.
    pub media_proxy: MediaProxy,
    /// What is watched in its media.
    pub watch: MediaWatch,
    /// Whether the switch plays the ringback tone to those who call it.
    pub local_ring: bool,
    /// Which, where it is not that of [`super::Tones`].
    pub ringback: Option<&'p Ringback>,
    /// Whether signalling and media encryption are expected from it.
    pub encryption: bool,
    /// Most concurrent calls, in and out together; 0 is no limit.
    pub max_calls: u32,
    /// What it is shown of who calls, and what it is believed.
    pub identity: IdentityPolicy,
}

impl<'p> Phone<'p> {
    fn new(user: &'p str, profile: &'p Profile) -> Phone<'p> {
        Phone {
            user,
            secret: &profile.secret,
            caller_id: profile.caller_id.as_deref(),
            media_proxy: profile.media_proxy,
            watch: profile.watch,
            local_ring: profile.local_ring,
            ringback: profile.ringback.as_ref(),
            encryption: profile.encryption,
            max_calls: profile.max_calls,
            identity: profile.identity,
        }
    }
}

/// A user name taken apart: prefix, digits of the number, number.
fn split(user: &str) -> (&str, usize, u64) {
    let digits = user.bytes().rev().take(COUNTED_DIGITS).take_while(u8::is_ascii_digit).count();
    let (prefix, number) = user.split_at(user.len() - digits);
    (prefix, digits, number.parse().unwrap_or(0))
}

impl Block {
    /// Reads `first..last`.
    ///
    /// # Errors
    /// Says in words what is wrong with it.
    pub fn parse(users: &str, profile: Profile) -> Result<Block, String> {
        let form = || "must be the first and the last user, such as `u00000..u09999`".to_owned();
        let (first, last) = users.split_once("..").ok_or_else(form)?;
        let ((prefix, width, first), (last_prefix, last_width, last)) = (split(first.trim()), split(last.trim()));
        if width == 0 || last_width == 0 {
            return Err(form());
        }
        if prefix != last_prefix || width != last_width {
            return Err("must have the same prefix and as many digits at both ends".to_owned());
        }
        if first > last {
            return Err("ends before it begins".to_owned());
        }
        Ok(Block { prefix: prefix.to_owned(), width, first, last, profile })
    }

    fn key(&self) -> (&str, usize, u64) {
        (&self.prefix, self.width, self.first)
    }

    /// How many phones it is.
    pub fn size(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    /// Whether a phone is in both.
    pub fn overlaps(&self, other: &Block) -> bool {
        self.prefix == other.prefix && self.width == other.width && self.first <= other.last && other.first <= self.last
    }
}

impl Phones {
    /// Phones of these; no two singles may have one name, no two blocks a phone in common.
    pub fn new(mut singles: Vec<Single>, mut blocks: Vec<Block>) -> Phones {
        singles.sort_by(|a, b| a.user.cmp(&b.user));
        blocks.sort_by(|a, b| a.key().cmp(&b.key()));
        Phones { singles, blocks }
    }

    /// The phone of this user name.
    pub fn find<'p>(&'p self, user: &'p str) -> Option<Phone<'p>> {
        self.profile(user).map(|profile| Phone::new(user, profile))
    }

    /// What is configured for this user name; a table of its own goes before a block that also has it.
    pub fn profile(&self, user: &str) -> Option<&Profile> {
        if let Ok(at) = self.singles.binary_search_by(|single| single.user.as_str().cmp(user)) {
            return self.singles.get(at).map(|single| &single.profile);
        }
        let key = split(user);
        let after = self.blocks.partition_point(|block| block.key() <= key);
        let block = self.blocks.get(after.checked_sub(1)?)?;
        let (prefix, width, number) = key;
        let inside = block.prefix == prefix && block.width == width && number <= block.last;
        inside.then_some(&block.profile)
    }

    /// How many phones there are.
    pub fn len(&self) -> u64 {
        self.singles.len() as u64 + self.blocks.iter().map(Block::size).sum::<u64>()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.singles.is_empty() && self.blocks.is_empty()
    }

    /// The phones with a table of their own, by user name.
    pub fn singles(&self) -> &[Single] {
        &self.singles
    }

    /// The blocks, by prefix and first number.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Phones, Profile, Single};
    use crate::auth::Secret;

    fn profile(password: &str) -> Profile {
        Profile::new(Secret::Password(password.to_owned()))
    }

    fn block(users: &str) -> Block {
        Block::parse(users, profile(users)).unwrap_or_else(|reason| panic!("{users}: {reason}"))
    }

    #[test]
    fn phones_are_found_in_singles_and_blocks() {
        let singles = vec![
            Single { user: "zoe".to_owned(), profile: profile("z") },
            Single { user: "u00005".to_owned(), profile: profile("own") },
        ];
        let phones = Phones::new(singles, vec![block("u00000..u09999"), block("1001..1010"), block("u20000..u29999")]);
        let secret = |user| phones.find(user).map(|phone| phone.secret.clone());
        let password = |text: &str| Some(Secret::Password(text.to_owned()));
        assert_eq!(secret("zoe"), password("z"));
        assert_eq!(secret("u00005"), password("own"), "its own table goes before the block");
        for user in ["u00000", "u09999", "u00006"] {
            assert_eq!(secret(user), password("u00000..u09999"), "{user}");
        }
        assert_eq!(secret("u20000"), password("u20000..u29999"));
        assert_eq!(secret("1010"), password("1001..1010"));
        for user in ["u10000", "u30000", "u0000", "u000000", "v00000", "1000", "1011", "01001", "", "u", "u0000x", "é1"]
        {
            assert_eq!(secret(user), None, "{user}");
        }
        assert_eq!(phones.len(), 20_012);
    }

    #[test]
    fn long_numbers_count_in_their_last_digits() {
        let users = "99999999999999999999998..99999999999999999999999";
        let phones = Phones::new(Vec::new(), vec![block(users)]);
        assert!(phones.find("99999999999999999999999").is_some());
        assert!(phones.find("99999999999999999999997").is_none());
        assert!(phones.find("09999999999999999999999").is_none());
    }

    #[test]
    fn blocks_that_are_none_are_refused() {
        for (users, why) in [
            ("u1", "first and the last"),
            ("a..b", "first and the last"),
            ("..", "first and the last"),
            ("u1..v2", "same prefix"),
            ("u1..u10", "as many digits"),
            ("u2..u1", "ends before"),
        ] {
            let reason = Block::parse(users, profile("x")).expect_err(users);
            assert!(reason.contains(why), "{users}: {reason}");
        }
    }

    #[test]
    fn overlap() {
        assert!(block("u10..u20").overlaps(&block("u20..u30")));
        assert!(!block("u10..u20").overlaps(&block("u21..u30")));
        assert!(!block("u10..u20").overlaps(&block("u010..u020")));
        assert!(!block("u10..u20").overlaps(&block("v10..v20")));
    }
}
