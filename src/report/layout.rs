//! Reports on a terminal: at most 80 columns, and a few words in colour.
use anstyle::{AnsiColor, Style};
use std::path::Path;

/// Columns of a report.
pub const COLUMNS: usize = 80;

/// Breaks lines that are longer than [`COLUMNS`] at spaces; what follows is indented two further.
/// Words are never broken, and commands to be copied neither.
pub fn wrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |l| (l, "\n"));
        if line.chars().count() <= COLUMNS || line.trim_start().starts_with("maxmargin ") {
            out.push_str(line);
        } else {
            wrap(&mut out, line);
        }
        out.push_str(end);
    }
    out
}

/// A path as a word of a shell's command.
pub fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./+,:=@%".contains(c);
    // A name that begins with a dash would be an option.
    let dashed = text.starts_with('-') && text != "-";
    let text = if dashed { format!("./{text}") } else { text.into_owned() };
    match text.chars().all(plain) {
        true if !text.is_empty() => text,
        _ => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

fn wrap(out: &mut String, line: &str) {
    let indent = line.chars().take_while(|c| *c == ' ').count();
    let mut column = indent;
    out.extend(std::iter::repeat_n(' ', indent));
    for (position, word) in line.trim_start().split(' ').enumerate() {
        let width = word.chars().count();
        if position > 0 && column + 1 + width > COLUMNS {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent + 2));
            column = indent + 2;
        } else if position > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
}

/// Headings bold, verdicts in colour, as ANSI codes.
pub fn coloured(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let inner = line.trim_start();
        out.push_str(&line[..line.len() - inner.len()]);
        match mark(inner) {
            Some((start, end, style)) => {
                let (before, word, after) = (&inner[..start], &inner[start..end], &inner[end..]);
                out.push_str(&format!("{before}{style}{word}{style:#}{after}"));
            }
            None => out.push_str(inner),
        }
    }
    out
}

/// Words that are verdicts. Longer ones stand before those they contain.
const WORDS: [(&str, AnsiColor); 12] = [
    ("NOT VERIFIED", AnsiColor::Red),
    ("VERIFIED", AnsiColor::Green),
    ("NOT IMPROVED", AnsiColor::Yellow),
    ("IMPROVED", AnsiColor::Green),
    ("OPTIMAL", AnsiColor::Green),
    ("BRACKETED", AnsiColor::Yellow),
    ("NO BOUND", AnsiColor::Red),
    ("UNDECIDED", AnsiColor::Yellow),
    ("WEAKER", AnsiColor::Red),
    ("LOST", AnsiColor::Red),
    ("YES", AnsiColor::Green),
    ("NO", AnsiColor::Red),
];

fn mark(line: &str) -> Option<(usize, usize, Style)> {
    let at_end = |end: usize| !line[end..].starts_with(|c: char| c.is_alphanumeric());
    for (word, color) in WORDS {
        // At the start, or as the answer after a colon.
        let start = match line.starts_with(word) {
            true => Some(0),
            false => line.find(&format!(": {word}")).map(|p| p + 2),
        };
        if let Some(start) = start.filter(|s| at_end(s + word.len())) {
            return Some((start, start + word.len(), color.on_default().bold()));
        }
    }
    let heading = line.split(['(', ',', '\n']).next().unwrap_or("").trim_end();
    let capitals = |c: char| c.is_ascii_uppercase() || c == ' ';
    let is_heading = heading.len() > 3 && heading.chars().all(capitals);
    is_heading.then(|| (0, heading.len(), Style::new().bold()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_at_spaces() {
        let word = "word ".repeat(30);
        let text = wrapped(&format!("short\n  {word}\n"));
        assert!(text.lines().all(|l| l.chars().count() <= COLUMNS), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("  word") && lines[2].starts_with("    word"));
        assert_eq!(text.split_whitespace().count(), 31);
        // Commands, long words and columns stay as they are.
        let command = format!("  maxmargin check {}\n", "x".repeat(90));
        assert_eq!(wrapped(&command), command);
        let path = format!("  {}\n", "y".repeat(90));
        assert_eq!(wrapped(&path), path);
        assert_eq!(wrapped("a    b\n"), "a    b\n");
    }

    #[test]
    fn verdicts_and_headings_are_marked() {
        let plain = "VERIFIED  a.json\nMARGIN (exact)\n  local optimum: NO (why)\nNothing\n";
        let text = coloured(plain);
        assert!(text.starts_with(
            "\u{1b}[1m\u{1b}[32mVERIFIED\u{1b}[0m  a.json\n\u{1b}[1mMARGIN\u{1b}[0m (exact)"
        ));
        assert!(text.contains(": \u{1b}[1m\u{1b}[31mNO\u{1b}[0m (why)"));
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), plain);
        assert_eq!(coloured("Nothing, NONE: NOTE\n"), "Nothing, NONE: NOTE\n");
    }
}
