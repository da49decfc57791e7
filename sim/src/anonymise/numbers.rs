//! Numbers, names and words: a substitution symbol by symbol that keeps beginnings.
//!
//! A digit becomes a digit, a letter a letter of the same case; everything else stays. Which one it becomes depends on
//! what stands before it, so two numbers have as many leading symbols in common afterwards as before, and every choice
//! by longest prefix is the same. Letters count without their case, so that what was equal without it still is.
//!
//! Two things in a configuration need more than that:
//!
//! * A rewrite rule `p` -> `r` moves the rest of a number from behind `p` to behind `r`. Both are made the same
//!   *context*, and with them every `pu` and `ru` (the right congruence that all rules of all configurations generate), so
//!   that the rest is replaced alike in both places.
//! * A block `first..last` is to remain one. Below what both ends have in common only digits are exchanged under which the
//!   block has all numbers, or only digits under which it has none.

use super::key::{Context, Key, Kind};
use crosspoint_core::config::{Block, Config, Numbers};
use std::collections::BTreeMap;

/// Words that mean something to SIP: a caller that withholds its name (RFC 3323 §4.1.1.3), names that lead nowhere or
/// to the machine itself (RFC 2606 §2).
const KEPT: [&str; 3] = ["anonymous", "invalid", "localhost"];

/// How many of the numbers under a digit a block has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    None,
    Some,
    All,
}

/// A text that a rule or a block begins with.
#[derive(Debug, Default)]
struct Node {
    /// By the next symbol.
    next: BTreeMap<u8, usize>,
    /// The node that it is the same context as; itself where it stands for all of them.
    same: usize,
    /// What every block that goes through here has under each digit.
    shares: Vec<[Share; 10]>,
}

/// The substitution.
pub(super) struct Words {
    key: Key,
    nodes: Vec<Node>,
}

impl Words {
    /// The substitution under which all rules and blocks of these configurations hold.
    pub(super) fn new<'c>(key: Key, configs: impl IntoIterator<Item = &'c Config>) -> Words {
        let mut words = Words { key, nodes: vec![Node::default()] };
        for config in configs {
            for block in config.phones.blocks() {
                words.keep_block(block);
            }
            for gateway in config.gateways.iter() {
                let Numbers { callee, caller } = &gateway.rules.inward;
                let inward = [callee, caller];
                let Numbers { callee, caller } = &gateway.rules.outward;
                for rule in inward.into_iter().chain([callee, caller]).flat_map(|rules| &rules.rewrite) {
                    let (from, to) = (words.insert(rule.prefix.as_bytes()), words.insert(rule.replace.as_bytes()));
                    words.join(from, to);
                }
            }
        }
        words
    }

    /// Replaces a text as one word; `%` escapes count as what they stand for where there may be any.
    pub(super) fn replace(&self, text: &mut [u8], may_be_escaped: bool) {
        if KEPT.iter().any(|kept| text.eq_ignore_ascii_case(kept.as_bytes())) {
            return;
        }
        let mut place = Some(0);
        let mut context = self.key.context(Kind::Word, 0);
        super::symbols::each(text, may_be_escaped, |symbol| {
            let image = match symbol {
                b'0'..=b'9' => b'0' + self.digit(&context, place, symbol - b'0'),
                _ => super::symbols::letter(&context, symbol),
            };
            let symbol = symbol.to_ascii_lowercase();
            place = place.and_then(|node| self.nodes[self.find(node)].next.get(&symbol).map(|&next| self.find(next)));
            match place {
                Some(node) => context = self.key.context(Kind::Word, node),
                None => context.push(symbol),
            }
            image
        });
    }

    fn digit(&self, context: &Context, place: Option<usize>, digit: u8) -> u8 {
        let shares: &[[Share; 10]] = place.map_or(&[], |node| &self.nodes[self.find(node)].shares);
        let under = |digit: u8| shares.iter().map(move |share| share[usize::from(digit)]);
        if under(digit).any(|share| share == Share::Some) {
            return digit;
        }
        let alike: Vec<u8> = (0..10).filter(|&other| under(other).eq(under(digit))).collect();
        let rank = alike.iter().position(|&other| other == digit).expect("a digit is like itself");
        alike[context.exchange(alike[0], alike.len(), rank)]
    }

    fn keep_block(&mut self, block: &Block) {
        let Block { prefix, width, first, last, .. } = block;
        let (first, last) = (format!("{first:0width$}"), format!("{last:0width$}"));
        let common = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        let mut beginnings: Vec<&str> =
            [&first, &last].into_iter().flat_map(|end| (common..*width).map(|n| &end[..n])).collect();
        beginnings.sort_unstable();
        beginnings.dedup();
        for beginning in beginnings {
            let node = self.insert(format!("{prefix}{beginning}").as_bytes());
            let shares = std::array::from_fn(|digit| {
                let end = |fill: &str| format!("{beginning}{digit}{}", fill.repeat(width - beginning.len() - 1));
                let (low, high) = (end("0"), end("9"));
                match (low >= first && high <= last, high < first || low > last) {
                    (true, _) => Share::All,
                    (_, true) => Share::None,
                    _ => Share::Some,
                }
            });
            let node = self.find(node);
            self.nodes[node].shares.push(shares);
        }
    }

    fn insert(&mut self, text: &[u8]) -> usize {
        text.to_ascii_lowercase().iter().fold(self.find(0), |node, &symbol| {
            if let Some(&next) = self.nodes[node].next.get(&symbol) {
                return self.find(next);
            }
            let next = self.nodes.len();
            self.nodes.push(Node { same: next, ..Node::default() });
            self.nodes[node].next.insert(symbol, next);
            next
        })
    }

    fn find(&self, mut node: usize) -> usize {
        while self.nodes[node].same != node {
            node = self.nodes[node].same;
        }
        node
    }

    /// Makes two contexts one, and so all that lie the same way behind them.
    fn join(&mut self, a: usize, b: usize) {
        let mut open = vec![(a, b)];
        while let Some((a, b)) = open.pop() {
            let (a, b) = (self.find(a), self.find(b));
            if a == b {
                continue;
            }
            let (kept, gone) = (a.min(b), a.max(b));
            let Node { next, shares, .. } =
                std::mem::replace(&mut self.nodes[gone], Node { same: kept, ..Node::default() });
            self.nodes[kept].shares.extend(shares);
            for (symbol, node) in next {
                match self.nodes[kept].next.get(&symbol) {
                    Some(&other) => open.push((node, other)),
                    None => drop(self.nodes[kept].next.insert(symbol, node)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Words};
    use crosspoint_core::config::parse;
    use crosspoint_core::rng::Seed;

    fn words(seed: u64, text: &str) -> Words {
        let parsed = parse(text).unwrap_or_else(|findings| panic!("{findings}"));
        Words::new(Key::new(Seed::from_number(seed), 0), [&parsed.config])
    }

    fn image(words: &Words, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        words.replace(&mut bytes, true);
        String::from_utf8(bytes).unwrap()
    }

    fn common(a: &str, b: &str) -> usize {
        a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
    }

    #[test]
    fn beginnings_cases_and_kinds_of_symbols_are_kept_and_no_symbol_stays() {
        let words = words(1, "");
        let texts = ["+4930123456", "+4930123999", "alice", "Alice", "alina", "a1-B2_c3"];
        for a in texts {
            let image_a = image(&words, a);
            for (old, new) in a.chars().zip(image_a.chars()) {
                assert_eq!(
                    (old.is_ascii_digit(), old.is_ascii_uppercase()),
                    (new.is_ascii_digit(), new.is_ascii_uppercase())
                );
                assert_eq!(old == new, !old.is_ascii_alphanumeric(), "{a} {image_a}");
            }
            for b in texts {
                assert_eq!(
                    common(&a.to_lowercase(), &b.to_lowercase()),
                    common(&image_a.to_lowercase(), &image(&words, b).to_lowercase())
                );
            }
        }
        assert_eq!(image(&words, "Anonymous"), "Anonymous");
    }

    #[test]
    fn an_escape_stands_for_its_octet() {
        let words = words(2, "");
        let plain = image(&words, "alice#1");
        let escaped = image(&words, "%61l%69ce%231");
        assert_eq!(
            crosspoint_core::sip::Uri::parse(format!("sip:{escaped}@h").as_bytes()).unwrap().user_unescaped(),
            plain.as_bytes()
        );
    }

    const GATEWAY: &str =
        "[[gateway]]\nname = \"g\"\ndirection = \"routing\"\npeers = [\"192.0.2.1\"]\nprefixes = [\"00\"]\n";

    #[test]
    fn a_rewritten_number_is_the_rewritten_image() {
        let rules = [("00", "+"), ("0", "+49"), ("+4930", ""), ("9", "99")];
        let lines: Vec<String> =
            rules.iter().map(|(from, to)| format!("{{ prefix = \"{from}\", replace = \"{to}\" }}")).collect();
        let text = format!("{GATEWAY}rewrite_callee = [{}]\n", lines.join(", "));
        let Ok(parsed) = parse(&text) else { panic!("{}", parse(&text).unwrap_err()) };
        for seed in 0..50 {
            let words = Words::new(Key::new(Seed::from_number(seed), 0), [&parsed.config]);
            for (from, to) in rules {
                for rest in ["", "1", "4930555", "0049", "99123"] {
                    let (whole, rewritten) =
                        (image(&words, &format!("{from}{rest}")), image(&words, &format!("{to}{rest}")));
                    assert_eq!(whole[from.len()..], rewritten[to.len()..], "seed {seed}: {from} -> {to}, {rest}");
                }
            }
        }
    }

    #[test]
    fn a_block_remains_one() {
        let text =
            "[[phone]]\nusers = \"u0995..u2003\"\npassword = \"x\"\n[[phone]]\nusers = \"17..42\"\npassword = \"x\"\n";
        for seed in 0..50 {
            let words = words(seed, text);
            let mut images: Vec<String> = (17..=42).map(|n| image(&words, &n.to_string())).collect();
            images.sort();
            assert_eq!(images, (17..=42).map(|n| n.to_string()).collect::<Vec<_>>(), "seed {seed}");
            assert_ne!(image(&words, "30"), "30");
            let mut images: Vec<String> = (995..=2003).map(|n| image(&words, &format!("u{n:04}"))).collect();
            images.sort();
            let letter = &images[0][..1];
            assert_eq!(images, (995..=2003).map(|n| format!("{letter}{n:04}")).collect::<Vec<_>>(), "seed {seed}");
            assert_ne!(letter, "u");
        }
    }
}
