//! What is wrong, or odd, in a text that an operator wrote, and where.

use std::fmt;
use std::ops::Range;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The text cannot be used.
    Error,
    /// It can, but probably means something else than its writer thinks.
    Warning,
}

impl Level {
    /// As printed.
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
        }
    }
}

/// One fault or oddity. Displays as `line:column: level: text (id)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters of the line it is about, at least 1.
    pub width: usize,
    /// How much it weighs.
    pub level: Level,
    /// What is wrong and, where it is known, what to write instead.
    pub text: String,
    /// Names the kind of finding, such as `unknown-key`; stays the same from release to release.
    pub id: &'static str,
}

/// A text with the places of its lines, so that a finding is placed without reading the text again.
#[derive(Clone, Debug)]
pub struct Source<'s> {
    text: &'s str,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl<'s> Source<'s> {
    /// Looks for the lines.
    pub fn new(text: &'s str) -> Source<'s> {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Source { text, lines: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// A finding about these octets of the text; a span that ends beyond its first line is cut there.
    pub fn finding(&self, span: Range<usize>, level: Level, id: &'static str, text: impl Into<String>) -> Finding {
        let start = self.text.floor_char_boundary(span.start);
        let line = self.lines.partition_point(|&line| line <= start);
        let line_start = self.lines.get(line - 1).copied().expect("the first line begins at 0");
        let rest = self.text[start..].lines().next().unwrap_or("");
        let end = rest.floor_char_boundary(span.end.saturating_sub(start));
        Finding {
            line,
            column: self.text[line_start..start].chars().count() + 1,
            width: rest[..end].chars().count().max(1),
            level,
            text: text.into(),
            id,
        }
    }
}

impl Finding {
    /// Several lines for people: the finding, where it is, the line itself and carets under the place.
    pub fn render(&self, file: &str, source: &str) -> String {
        let line = source.lines().nth(self.line.saturating_sub(1)).unwrap_or("");
        // A tab before the place stays a tab, so that the carets stand under it however wide the terminal draws it.
        let indent: String =
            line.chars().take(self.column.saturating_sub(1)).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let carets = "^".repeat(self.width.max(1));
        format!(
            "{level}: {text} ({id})\n{gutter}--> {file}:{number}:{column}\n{gutter} |\n{number} | {line}\n{gutter} | {indent}{carets}\n",
            level = self.level.name(),
            text = self.text,
            id = self.id,
            column = self.column,
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {} ({})", self.line, self.column, self.level.name(), self.text, self.id)
    }
}

/// Findings in the order of the text. Displays one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Puts them into the order of the text; of two at one place the error comes first.
    pub fn sort(&mut self) {
        self.0.sort_by_key(|finding| (finding.line, finding.column, finding.level));
    }

    /// Each in turn.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.level == Level::Error)
    }

    /// The findings as a list.
    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }

    /// Each as [`Finding::render`], with an empty line between.
    pub fn render(&self, file: &str, source: &str) -> String {
        self.0.iter().map(|finding| finding.render(file, source)).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.0.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            write!(f, "{newline}{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

impl<'f> IntoIterator for &'f Findings {
    type Item = &'f Finding;
    type IntoIter = std::slice::Iter<'f, Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Source};

    #[test]
    fn place_is_counted_in_lines_and_characters() {
        let source = "é = 1\r\n\tbünd = 2\r\n";
        let at = source.find("bünd").expect("it is there");
        let finding = Source::new(source).finding(at..at + 5, Level::Error, "unknown-key", "no such key");
        assert_eq!((finding.line, finding.column, finding.width), (2, 2, 4));
        insta::assert_snapshot!(finding.render("x.toml", source), @r"
        error: no such key (unknown-key)
         --> x.toml:2:2
          |
        2 | 	bünd = 2
          | 	^^^^
        ");
        assert_eq!(finding.to_string(), "2:2: error: no such key (unknown-key)");
    }

    #[test]
    fn spans_outside_the_text_point_at_its_end() {
        let finding = Source::new("ab").finding(7..9, Level::Warning, "x", "odd");
        assert_eq!((finding.line, finding.column, finding.width), (1, 3, 1));
    }
}
