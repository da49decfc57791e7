//! A ladder as text: a column for each actor, a row for each line.

use super::lines::{Arrow, Line, Shape, Sheet, ms};
use std::fmt::Write as _;

/// Columns before the first actor's line.
const GUTTER: usize = 11;
/// Columns of the time, at the right end of which it stands.
const TIME: usize = 8;

/// Heading and rows.
pub(super) fn draw(sheet: &Sheet<'_>) -> String {
    let width = column_width(sheet);
    let mut out = format!("{}{}\n", sheet.title, if sheet.has_times { "   (times ms)" } else { "" });
    let mut heading = String::new();
    for (i, actor) in sheet.actors.iter().enumerate() {
        // centred over the actor's line
        let from = (GUTTER + i * width).saturating_sub(actor.len() / 2);
        let _ = write!(heading, "{}{actor}", " ".repeat(from.saturating_sub(heading.len())));
    }
    out.push_str(heading.trim_end());
    out.push('\n');
    for line in &sheet.lines {
        out.push_str(row(sheet, line, width).trim_end());
        out.push('\n');
    }
    out
}

/// Wide enough for the longest label on an arrow between neighbours, and for names side by side.
fn column_width(sheet: &Sheet<'_>) -> usize {
    let label = |line: &Line<'_>| match &line.shape {
        Shape::Arrow(arrow) => arrow.label.len(),
        Shape::Event { .. } | Shape::Note { .. } | Shape::Gap { .. } => 0,
    };
    // "|--" and "-->" and a dash or two
    let labels = sheet.lines.iter().map(label).max().unwrap_or_default().max(12) + 8;
    sheet.actors.iter().map(|actor| actor.len() + 2).max().unwrap_or_default().max(labels)
}

fn row(sheet: &Sheet<'_>, line: &Line<'_>, width: usize) -> String {
    let mut row: Vec<char> = vec![' '; GUTTER + width * sheet.actors.len().saturating_sub(1) + 1];
    for i in 0..sheet.actors.len() {
        row[GUTTER + i * width] = '|';
    }
    if sheet.has_times {
        let time = format!("{:>TIME$}", ms(line.at_us));
        let time = &time[time.len().saturating_sub(GUTTER - 1)..];
        row.iter_mut().zip(time.chars()).for_each(|(place, c)| *place = c);
    }
    let head = |columns: usize| row[..columns].iter().collect::<String>();
    match &line.shape {
        Shape::Gap { lines } => format!("... {lines} lines left out ..."),
        Shape::Note { text } => format!("{}~~ {text} ~~", head(GUTTER)),
        Shape::Event { actor, text } => format!("{}* {text}", head(GUTTER + actor * width)),
        Shape::Arrow(arrow) if arrow.from == arrow.to => {
            format!("{}* {} to itself   {}", head(GUTTER + arrow.from * width), arrow.label, arrow.remarks())
        }
        Shape::Arrow(arrow) => {
            put(arrow, width, &mut row);
            format!("{}   {}", row.into_iter().collect::<String>(), arrow.remarks())
        }
    }
}

/// Puts an arrow into its row.
fn put(arrow: &Arrow<'_>, width: usize, row: &mut [char]) {
    let (left, right) = (GUTTER + arrow.from.min(arrow.to) * width, GUTTER + arrow.from.max(arrow.to) * width);
    row[left + 1..right].fill('-');
    row[left + 3..right].iter_mut().zip(arrow.label.chars()).for_each(|(place, c)| *place = c);
    match (arrow.from < arrow.to, arrow.is_lost()) {
        (true, false) => row[right - 1] = '>',
        (true, true) => row[right - 1] = 'X',
        (false, false) => row[left + 1] = '<',
        (false, true) => row[left + 1] = 'X',
    }
}
