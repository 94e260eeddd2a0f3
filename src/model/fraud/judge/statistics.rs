//! How improbable is what was seen. It refuses to know what it is.

/// How improbable it is by chance that no more than `seen` of `all` happened where
/// `expected` of them were to be: the natural logarithm of "one in so many", nothing where
/// as many happened as expected. It is Chernoff's bound for proportions.
pub fn surprise(all: f64, expected: f64, seen: f64) -> f64 {
    if all <= 0.0 || seen >= expected {
        return 0.0;
    }
    let (seen, expected) = ((seen / all).clamp(0.0, 1.0), (expected / all).clamp(0.0, 0.999));
    let part = |one: f64, other: f64| if one > 0.0 { one * (one / other).ln() } else { 0.0 };
    all * (part(seen, expected) + part(1.0 - seen, 1.0 - expected))
}

/// The logarithm of the odds of a probability.
pub fn odds(probability: f64) -> f64 {
    let probability = probability.clamp(0.001, 0.999);
    (probability / (1.0 - probability)).ln()
}

/// The probability of the logarithm of odds.
pub fn probability(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_expected_are_no_surprise() {
        assert_eq!(surprise(10.0, 8.0, 8.0), 0.0);
        assert_eq!(surprise(10.0, 8.0, 10.0), 0.0);
        assert_eq!(surprise(0.0, 0.0, 0.0), 0.0);
    }

    #[test]
    fn none_of_all_is_as_surprising_as_its_probability() {
        let by_hand = -(0.2_f64.powi(7)).ln();
        assert!((surprise(7.0, 5.6, 0.0) - by_hand).abs() < 1e-9);
        assert!(surprise(70.0, 56.0, 40.0) > surprise(7.0, 5.6, 4.0));
    }

    #[test]
    fn odds_and_probability_are_each_others_inverse() {
        for one in [0.01, 0.5, 0.9] {
            assert!((probability(odds(one)) - one).abs() < 1e-9);
        }
    }
}
