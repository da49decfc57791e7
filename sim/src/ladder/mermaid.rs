//! A ladder as a Mermaid sequence diagram.

use super::describe::Kind;
use super::lines::{Arrow, Shape, Sheet, ms};
use std::fmt::Write as _;

/// The diagram, a statement a line.
pub(super) fn draw(sheet: &Sheet<'_>) -> String {
    let mut out = format!("sequenceDiagram\n    title {}\n", escape(&sheet.title));
    for (i, actor) in sheet.actors.iter().enumerate() {
        let _ = writeln!(out, "    participant a{i} as {}", escape(actor));
    }
    let across = match sheet.actors.len() {
        0 => return out,
        1 => "a0".to_owned(),
        actors => format!("a0,a{}", actors - 1),
    };
    for line in &sheet.lines {
        let time = if sheet.has_times { format!("{} ms ", ms(line.at_us)) } else { String::new() };
        let _ = match &line.shape {
            Shape::Gap { lines } => writeln!(out, "    Note over {across}: ... {lines} lines left out ..."),
            Shape::Note { text } => writeln!(out, "    Note over {across}: {}", escape(&format!("{time}{text}"))),
            Shape::Event { actor, text } => {
                writeln!(out, "    Note over a{actor}: {}", escape(&format!("{time}{text}")))
            }
            Shape::Arrow(arrow) => writeln!(out, "    {}", statement(arrow, &time)),
        };
    }
    out
}

/// `->>` is a request, `-->>` a response, `-x` and `--x` the same lost.
fn statement(arrow: &Arrow<'_>, time: &str) -> String {
    let line = if arrow.kind == Kind::Request { "-" } else { "--" };
    let head = if arrow.is_lost() { "x" } else { ">>" };
    let text = escape(&format!("{time}{}", arrow.label));
    let remarks = arrow.remarks();
    let below = if remarks.is_empty() { String::new() } else { format!("<br/>{}", escape(&remarks)) };
    format!("a{}{line}{head}a{}: {text}{below}", arrow.from, arrow.to)
}

/// Text in which Mermaid sees nothing but text: all that could mean something to it, or to the HTML that it makes, goes by
/// its number (`#59;` is a semicolon). A `#` or `;` would end a statement, `%%` begin a comment, `<br>` break a line,
/// `$$` begin a formula, and a colon behind `style` cost the entity after it its semicolon.
fn escape(text: &str) -> String {
    if text.trim().is_empty() {
        // a statement wants some text: a space that is one
        return "#160;".to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | '-' | '+' | '=' | '/' | '(' | ')' | '@') {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}
