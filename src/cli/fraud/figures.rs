//! Figures and columns as people read them: counts with their thousands, shares, money and
//! times. It refuses to know what they are of.

use serde_json::Value;

/// The widest line.
pub(super) const WIDTH: usize = 80;

/// A count, `12,345`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut said = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

/// The count of that name in an answer; none where there is none.
pub(super) fn of(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_default()
}

/// A share of a whole, `12.3 %`; a dash of nothing.
pub(super) fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".to_owned(),
        whole => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}

/// Money in millionths of a US dollar, `$ 1,234.56`.
pub(super) fn money(micros: u64) -> String {
    let cents = micros.saturating_add(5_000) / 10_000;
    match (micros, cents) {
        (1.., 0) => "under $ 0.01".to_owned(),
        _ => format!("$ {}.{:02}", count(cents / 100), cents % 100),
    }
}

/// A number as a signal has it: whole where it is.
pub(super) fn figure(number: f64) -> String {
    match number {
        whole if whole.fract() == 0.0 && (0.0..1e15).contains(&whole) => count(whole as u64),
        number => format!("{number:.3}").trim_end_matches('0').to_owned(),
    }
}

/// A time of an answer to the second, `2026-11-20 09:31:00`.
pub(super) fn time(value: &Value) -> String {
    value.as_str().map_or_else(|| "-".to_owned(), |at| format!("{at:.19}").replace('T', " "))
}

/// A name in so many columns, with its end cut off where it is longer.
pub(super) fn cut(name: &str, columns: usize) -> String {
    match name.chars().count() > columns {
        true => name.chars().take(columns - 1).chain(['…']).collect(),
        false => name.to_owned(),
    }
}

/// A text in lines of at most so many columns, where words allow it.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_people_write_them() {
        assert_eq!(
            ["0", "999", "1,000", "12,345,678"].map(str::to_owned),
            [0, 999, 1000, 12_345_678].map(count)
        );
        let sums = [0, 4_000, 1_234_560_000, 40_000].map(money);
        assert_eq!(sums, ["$ 0.00", "under $ 0.01", "$ 1,234.56", "$ 0.04"]);
        assert_eq!((share(1, 8), share(0, 0)), ("12.5 %".to_owned(), "-".to_owned()));
        assert_eq!([8.0, 0.25, 1234.5].map(figure), ["8", "0.25", "1234.5"]);
        assert_eq!((cut("telephone", 5), cut("short", 5)), ("tele…".to_owned(), "short".to_owned()));
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    }
}
