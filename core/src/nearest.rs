//! The known name nearest to a mistyped one.

/// Longer words are not compared: an edit distance costs the product of both lengths.
const WORD_BYTES: usize = 64;

/// The one of `known` that `word` was probably meant to be: the smallest edit distance, at most a third of the word's
/// length (at least 1, so that short keys are helped too). Case and the difference of `-` and `_` do not count.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > WORD_BYTES {
        return None;
    }
    let word = folded(word);
    let bound = (word.len() / 3).max(1);
    let near = |name: &'k str| {
        let distance = edit_distance(&word, &folded(name));
        (distance <= bound).then_some((distance, name))
    };
    known.into_iter().filter(|name| name.len() <= WORD_BYTES).filter_map(near).min().map(|(_, name)| name)
}

fn folded(word: &str) -> Vec<u8> {
    word.bytes().map(|b| if b == b'-' { b'_' } else { b.to_ascii_lowercase() }).collect()
}

/// Levenshtein's distance over bytes, one row at a time.
fn edit_distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (&y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let substituted = diagonal + usize::from(x != y);
            diagonal = *cell;
            left = substituted.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{edit_distance, nearest};

    #[test]
    fn distances() {
        for (a, b, distance) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("bind", "bnd", 1), ("ab", "ba", 2)]
        {
            assert_eq!(edit_distance(a.as_bytes(), b.as_bytes()), distance, "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_is_found_and_nonsense_is_not() {
        let known = ["bind", "transport", "advertise"];
        assert_eq!(nearest("bnd", known), Some("bind"));
        assert_eq!(nearest("Advertize", known), Some("advertise"));
        assert_eq!(nearest("zzz", known), None);
    }
}
