//! A field for a terminal that has no room for two columns.

use unicode_width::UnicodeWidthStr;

use super::marks;

/// The name of a field and its value behind it, or below it where the line would be too long. Lines end between words;
/// a word that is longer than a line stays whole, so that it can be copied.
pub fn field(name: &str, value: &str, width: usize, color: bool) -> String {
    let line = format!("{name}: {value}");
    if line.width() > width {
        return format!("{name}:\n{}", words(value, width));
    }
    if color { format!("{name}: {}\n", marks::value(name, value)) } else { line + "\n" }
}

fn words(text: &str, width: usize) -> String {
    let (mut lines, mut used) = (String::new(), 0);
    for word in text.split_whitespace() {
        if used > 0 && used + 1 + word.width() > width {
            lines.push('\n');
            used = 0;
        }
        if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += word.width();
    }
    lines + "\n"
}
