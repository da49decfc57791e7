//! The list of parameters, as text.

use super::presets::PRESETS;
use super::values::Parameters;
use std::fmt::Write;

/// How the list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Table,
    /// An array of objects with the members `name`, `value`, `default`, `range`, `unit`, `meaning`, `status`, `section`;
    /// all of them texts.
    Json,
    /// The reference in `docs/parameters.md`.
    Markdown,
}

/// Every parameter: name, value, default, range, unit, meaning, status.
pub fn render(parameters: &Parameters, format: Format) -> String {
    match format {
        Format::Table => table(parameters),
        Format::Json => json(parameters),
        Format::Markdown => markdown(parameters),
    }
}

const HEADINGS: [&str; 7] = ["NAME", "VALUE", "DEFAULT", "RANGE", "UNIT", "STATUS", "MEANING"];

/// Columns as wide as their widest cell, except the last.
fn table(parameters: &Parameters) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(parameters.list().map(|(spec, value)| {
        let cells = [spec.name, value, spec.default, &spec.kind.range(), spec.unit, spec.status.name(), spec.help];
        cells.map(|cell| if cell.is_empty() { "-".to_owned() } else { cell.to_owned() })
    }));
    let mut widths = [0; HEADINGS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect::<Vec<_>>();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn json(parameters: &Parameters) -> String {
    let objects: Vec<String> = parameters
        .list()
        .map(|(spec, value)| {
            let members = [
                ("name", spec.name),
                ("value", value),
                ("default", spec.default),
                ("range", &spec.kind.range()),
                ("unit", spec.unit),
                ("meaning", spec.help),
                ("status", spec.status.name()),
                ("section", spec.section),
            ];
            let members: Vec<String> =
                members.iter().map(|(key, text)| format!("\"{key}\":{}", quoted(text))).collect();
            format!("  {{{}}}", members.join(","))
        })
        .collect();
    format!("[\n{}\n]\n", objects.join(",\n"))
}

/// A JSON string (RFC 8259 §7), which is a basic string of TOML too.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

const PREAMBLE: &str = "\
# System parameters

Every parameter under its VOS3000 name, as `[parameters]` in the configuration takes it. *Active* parameters are acted
on; the others are *accepted, not yet acted on*: checked, kept, listed, and warned of by `check` where they differ from
their default. This page is the output of `params --format markdown`.
";

const PRESET_PREAMBLE: &str = "
## Presets

`presets = [\"session-trunk\"]` under `[switch]` sets several parameters at once; what `[parameters]` says goes before it.

| preset | meaning | sets |
|---|---|---|
";

fn markdown(parameters: &Parameters) -> String {
    let mut text = String::from(PREAMBLE);
    let mut section = "";
    for (spec, value) in parameters.list() {
        if spec.section != section {
            section = spec.section;
            text.push_str(&format!(
                "\n## {section}\n\n| name | value | default | range | unit | status | meaning |\n|---|---|---|---|---|---|---|\n"
            ));
        }
        let cells = [value, spec.default, &spec.kind.range(), spec.unit, spec.status.name(), spec.help];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace('<', "&lt;")).join(" | ");
        writeln!(text, "| `{}` | {cells} |", spec.name).expect("a String takes every text");
    }
    text.push_str(PRESET_PREAMBLE);
    for preset in PRESETS {
        let sets: Vec<String> = preset.values.iter().map(|(name, value)| format!("`{name}` = {value}")).collect();
        writeln!(text, "| `{}` | {} | {} |", preset.name, preset.help, sets.join(", "))
            .expect("a String takes every text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Format, quoted, render};
    use crate::params::{Parameters, TABLE};

    fn parameters() -> Parameters {
        let mut parameters = Parameters::default();
        parameters.set("SS_SIP_NAT_KEEP_ALIVE_MESSAGE", "a|\"b\"\\<é").expect("a text");
        parameters
    }

    #[test]
    fn json_is_read_back_by_another_reader() {
        let text = render(&parameters(), Format::Json);
        let rows: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(rows.len(), TABLE.len());
        let message = rows.iter().find(|row| row["name"] == "SS_SIP_NAT_KEEP_ALIVE_MESSAGE").expect("it is listed");
        assert_eq!((&message["value"], &message["default"]), (&"a|\"b\"\\<é".into(), &"HELLO".into()));
        assert_eq!(message["status"], "accepted, not yet acted on");
    }

    #[test]
    fn control_characters_are_escaped() {
        for text in ["\n\t\u{1}\u{7f}", "\u{85}", "\"\\/"] {
            assert_eq!(serde_json::from_str::<String>(&quoted(text)).expect("it is JSON"), text);
        }
    }

    #[test]
    fn the_table_has_a_line_for_each_and_aligned_columns() {
        let text = render(&parameters(), Format::Table);
        assert_eq!(text.lines().count(), TABLE.len() + 1);
        let column = text.lines().next().and_then(|line| line.find("VALUE")).expect("a heading");
        for line in text.lines() {
            assert_eq!(line.as_bytes().get(column - 1), Some(&b' '), "{line}");
            assert_ne!(line.as_bytes().get(column), Some(&b' '), "{line}");
        }
    }

    #[test]
    fn markdown_cells_stay_in_their_row() {
        let text = render(&parameters(), Format::Markdown);
        let row = text.lines().find(|line| line.contains("KEEP_ALIVE_MESSAGE")).expect("it is listed");
        assert!(row.contains("a\\|\"b\"\\&lt;é"), "{row}");
        assert_eq!(
            text.lines().filter(|line| line.starts_with("| `S") || line.starts_with("| `IVR")).count(),
            TABLE.len()
        );
    }
}
