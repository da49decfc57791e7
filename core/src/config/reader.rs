//! Reads a TOML document value by value, and gathers every fault on the way instead of stopping at the first.

use crate::finding::{Findings, Level, Source};
use crate::nearest::nearest;
use crate::params::did_you_mean;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Octets of the text.
pub(super) type Span = Range<usize>;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// One table of the document.
pub(super) struct Section<'d> {
    /// As it is written, such as `[[phone]]`.
    title: &'static str,
    table: &'d DeTable<'d>,
    pub(super) span: Span,
}

impl<'d> Section<'d> {
    pub(super) fn get(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table.get(key)
    }

    /// Every key with its value, by key.
    pub(super) fn entries(&self) -> impl Iterator<Item = (At<&'d str>, &'d Spanned<DeValue<'d>>)> {
        self.table.iter().map(|(key, value)| (At { value: key.get_ref().as_ref(), span: key.span() }, value))
    }
}

/// The text and what was found in it so far.
pub(super) struct Reader<'s> {
    source: Source<'s>,
    findings: Findings,
}

impl<'s> Reader<'s> {
    pub(super) fn new(text: &'s str) -> Reader<'s> {
        Reader { source: Source::new(text), findings: Findings::default() }
    }

    /// What was found, in the order of the text.
    pub(super) fn finish(mut self) -> Findings {
        self.findings.sort();
        self.findings
    }

    pub(super) fn error(&mut self, span: &Span, id: &'static str, text: impl Into<String>) {
        self.find(span, Level::Error, id, text);
    }

    pub(super) fn warn(&mut self, span: &Span, id: &'static str, text: impl Into<String>) {
        self.find(span, Level::Warning, id, text);
    }

    pub(super) fn find(&mut self, span: &Span, level: Level, id: &'static str, text: impl Into<String>) {
        self.findings.push(self.source.finding(span.clone(), level, id, text));
    }

    /// The document's outermost table, where the text is TOML.
    pub(super) fn document(
        &mut self,
        document: Result<&'s Spanned<DeTable<'s>>, &[toml::de::Error]>,
    ) -> Option<Section<'s>> {
        match document {
            Ok(table) => Some(Section { title: "the file", table: table.get_ref(), span: 0..0 }),
            Err(errors) => {
                for error in errors {
                    let message = error.message().lines().collect::<Vec<_>>().join(", ");
                    self.error(&error.span().unwrap_or(0..0), "syntax", message);
                }
                None
            }
        }
    }

    /// Refuses keys that are not among these.
    pub(super) fn known_keys(&mut self, section: &Section<'_>, keys: &[&'static str]) {
        for (key, _) in section.entries() {
            if !keys.contains(&key.value) {
                let hint = did_you_mean(nearest(key.value, keys.iter().copied()));
                self.error(&key.span, "unknown-key", format!("unknown key `{}` in {}{hint}", key.value, section.title));
            }
        }
    }

    pub(super) fn wrong_type(&mut self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let text = format!("`{key}` must be {wanted}, not {}", type_name(value.get_ref()));
        self.error(&value.span(), "wrong-type", text);
    }

    /// A table with one pair of brackets, such as `[switch]`.
    pub(super) fn table<'d>(&mut self, outer: &Section<'d>, key: &str, title: &'static str) -> Option<Section<'d>> {
        let value = outer.get(key)?;
        self.as_table(key, value, title, &format!("one table {title}"))
    }

    /// This value as a table.
    pub(super) fn as_table<'d>(
        &mut self,
        key: &str,
        value: &'d Spanned<DeValue<'d>>,
        title: &'static str,
        wanted: &str,
    ) -> Option<Section<'d>> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, wanted);
            return None;
        };
        Some(Section { title, table, span: value.span() })
    }

    /// Tables with two pairs of brackets, such as `[[phone]]`, or an array of inline tables.
    pub(super) fn tables<'d>(&mut self, outer: &Section<'d>, key: &str, title: &'static str) -> Vec<Section<'d>> {
        let Some(value) = outer.get(key) else { return Vec::new() };
        let wanted = if title.starts_with("[[") { format!("written {title}") } else { "a list of tables".to_owned() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &wanted);
            return Vec::new();
        };
        array.iter().filter_map(|value| self.as_table(key, value, title, &wanted)).collect()
    }

    /// A text.
    pub(super) fn text<'d>(&mut self, section: &Section<'d>, key: &str) -> Option<At<&'d str>> {
        let value = section.get(key)?;
        self.as_text(key, value)
    }

    pub(super) fn as_text<'d>(&mut self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Option<At<&'d str>> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, "a text in quotes");
            return None;
        };
        Some(At { value: text, span: value.span() })
    }

    /// A text that must be there.
    pub(super) fn required<'d>(&mut self, section: &Section<'d>, key: &str) -> Option<At<&'d str>> {
        if section.get(key).is_none() {
            self.missing(section, key);
        }
        self.text(section, key)
    }

    pub(super) fn missing(&mut self, section: &Section<'_>, key: &str) {
        self.error(&section.span, "missing-key", format!("{} needs `{key}`", section.title));
    }

    /// A list of texts.
    pub(super) fn texts<'d>(&mut self, section: &Section<'d>, key: &str) -> Option<At<Vec<At<&'d str>>>> {
        let value = section.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of texts");
            return None;
        };
        let texts = array.iter().filter_map(|value| self.as_text(key, value)).collect();
        Some(At { value: texts, span: value.span() })
    }

    /// A list of whole numbers in this range.
    pub(super) fn wholes(&mut self, section: &Section<'_>, key: &str, range: RangeInclusive<u32>) -> Vec<At<u32>> {
        let Some(value) = section.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of whole numbers");
            return Vec::new();
        };
        array.iter().filter_map(|value| self.as_whole(key, value, &range)).collect()
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, section: &Section<'_>, key: &str) -> Option<At<bool>> {
        let value = section.get(key)?;
        let Some(flag) = value.get_ref().as_bool() else {
            self.wrong_type(key, value, "true or false");
            return None;
        };
        Some(At { value: flag, span: value.span() })
    }

    /// A whole number in this range.
    pub(super) fn whole(&mut self, section: &Section<'_>, key: &str, range: RangeInclusive<u32>) -> Option<At<u32>> {
        self.as_whole(key, section.get(key)?, &range)
    }

    pub(super) fn as_whole(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        range: &RangeInclusive<u32>,
    ) -> Option<At<u32>> {
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, "a whole number");
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            let text = format!("`{key}` must be a whole number from {} to {}", range.start(), range.end());
            self.error(&value.span(), "value", text);
        }
        number.map(|number| At { value: number, span: value.span() })
    }

    /// The value of a parameter as VOS would write it: a text, a number, a switch, or a list of numbers with commas.
    pub(super) fn parameter_text(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = plain(value.get_ref()).or_else(|| {
            let parts: Option<Vec<String>> =
                value.get_ref().as_array()?.iter().map(|part| plain(part.get_ref())).collect();
            Some(parts?.join(","))
        });
        if text.is_none() {
            self.wrong_type(key, value, "a text, a number, true, false, or a list of these");
        }
        text
    }
}

fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(integer) => Some(integer.to_string()),
        DeValue::Float(float) => Some(float.to_string()),
        DeValue::Boolean(flag) => Some(if *flag { "On" } else { "Off" }.to_owned()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a decimal point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
