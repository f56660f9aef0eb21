//! Tables for people, JSON for scripts.

use anyhow::Result;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;

/// How a command prints what it got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    pub(super) json: bool,
}

impl Printer {
    /// Prints a value: as JSON, or as the text that `text` makes of it.
    pub(super) fn value<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json { out(&(serde_json::to_string_pretty(value)? + "\n")) } else { out(&text(value)) }
    }

    /// Prints a list: as a JSON array, or as a table.
    pub(super) fn list<T: Serialize>(
        self,
        items: &[T],
        headers: &[&str],
        row: impl Fn(&T) -> Vec<String>,
    ) -> Result<()> {
        if self.json {
            return out(&(serde_json::to_string_pretty(items)? + "\n"));
        }
        out(&table(headers, &items.iter().map(row).collect::<Vec<_>>()))
    }

    /// Prints a value as one line of JSON, or as the line that `text` makes of it: for streams.
    pub(super) fn line<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json { out(&(serde_json::to_string(value)? + "\n")) } else { out(&(text(value) + "\n")) }
    }

    /// Prints a text as it is.
    pub(super) fn text(self, text: &str) -> Result<()> {
        out(text)
    }

    /// Tells a person that something is done; scripts go by the exit status.
    pub(super) fn done(self, text: &str) -> Result<()> {
        if self.json { Ok(()) } else { out(&format!("{text}\n")) }
    }
}

/// Writes to standard output; a reader that has gone, as `head` does, is no error.
fn out(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        outcome => Ok(outcome?),
    }
}

/// A table with columns as wide as their widest cell.
pub(super) fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([headers[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..headers.len()).map(width).collect();
    let mut text = String::new();
    let mut line = |cells: Vec<&str>| {
        let mut padded = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            // Writing to a string cannot fail.
            let _ = write!(padded, "{cell:<width$}  ");
        }
        text.push_str(padded.trim_end());
        text.push('\n');
    };
    line(headers.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
    text
}

/// Names and values, one a line.
pub(super) fn fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    fields.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:<width$}  {value}");
        text
    })
}

/// A number of things for people: `1 blob`, `2 blobs`.
pub(super) fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// Bytes for people: `1.5 GiB`.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A time span for people: `2 h 05 min`.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A short time for people: `850 µs`, `12.3 ms`.
pub(super) fn micros(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} µs"),
        1_000..1_000_000 => format!("{:.1} ms", count as f64 / 1e3),
        _ => format!("{:.1} s", count as f64 / 1e6),
    }
}

/// What the copies of a redundancy, as text, are.
pub(super) fn copies_of(redundancy: &str) -> &'static str {
    if redundancy.starts_with("ec:") { "pieces" } else { "copies" }
}

/// A value that may be missing.
pub(super) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_have_the_unit_that_fits() {
        let texts = [0, 999, 1_000, 12_345, 999_900, 2_500_000].map(micros);
        assert_eq!(texts, ["0 µs", "999 µs", "1.0 ms", "12.3 ms", "999.9 ms", "2.5 s"]);
    }
}
