//! Amounts of US dollars as texts, without fractions behind them.

/// Millionths in one dollar.
pub const MICROS: u64 = 1_000_000;
/// Places behind the point that are read, so that each is a whole number of millionths.
const PLACES: usize = 6;
/// Digits before it: more than anybody spends.
const WHOLE: usize = 10;

/// Reads an amount in US dollars, such as `0.0079` or `12.50`, in millionths; nothing where
/// it is none: digits with a point, at most six behind it.
pub fn micros(text: &str) -> Option<u64> {
    let (whole, part) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let is_amount = !whole.is_empty() && whole.len() <= WHOLE && part.len() <= PLACES;
    let digits = format!("{whole}{part:0<PLACES$}");
    (is_amount && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Writes millionths of a dollar as dollars, with two places at least and no more than say
/// something: `12.50`, `0.0079`.
pub fn dollars(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / MICROS, micros % MICROS);
    let shortest = text.find('.').map_or(text.len(), |point| point + 3);
    let end = text.trim_end_matches('0').len().max(shortest);
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_reads_back_as_it_was_written() {
        for (text, amount) in [
            ("0.0079", 7_900),
            ("12.50", 12_500_000),
            ("0.00", 0),
            ("0.000001", 1),
            ("999999999.999999", 999_999_999_999_999),
        ] {
            assert_eq!((micros(text), dollars(amount)), (Some(amount), text.to_owned()));
        }
        assert_eq!((micros("7"), micros("7.5")), (Some(7_000_000), Some(7_500_000)));
        assert_eq!(dollars(u64::MAX), "18446744073709.551615");
        for wrong in ["", ".", "1.", ".5", "x", "-1", "+1", "0.0000001", "0,5", "1e3", " 1", "12345678901"] {
            assert_eq!(micros(wrong), None, "{wrong:?}");
        }
    }
}
