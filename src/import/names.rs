//! The natural order of tensor names, and which bias belongs to which weight.
use std::cmp::Ordering;

/// Compares names with digits as numbers: `2.weight` < `10.weight`, `W9` < `W10`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a, b);
    while let (Some(c), Some(d)) = (x.chars().next(), y.chars().next()) {
        let order = if c.is_ascii_digit() && d.is_ascii_digit() {
            let (m, n) = (take_digits(&mut x), take_digits(&mut y));
            m.len().cmp(&n.len()).then_with(|| m.cmp(n))
        } else {
            (x, y) = (&x[c.len_utf8()..], &y[d.len_utf8()..]);
            c.cmp(&d)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    // `W01` and `W1` differ only in leading zeros: any fixed order will do.
    x.len().cmp(&y.len()).then_with(|| a.cmp(b))
}

/// Cuts the leading digits off; without leading zeros they compare by length, then as text.
fn take_digits<'a>(text: &mut &'a str) -> &'a str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits.trim_start_matches('0')
}

/// What a weight's name has in common with its bias's: `0.weight` and `0.bias` both give `0.`.
pub(super) fn weight_stem(name: &str) -> String {
    stem(name, &["weights", "weight", "kernel"], 'w').unwrap_or_else(|| name.to_string())
}

/// The same for a bias; `None` if the name is not that of a bias.
pub(super) fn bias_stem(name: &str) -> Option<String> {
    stem(name, &["biases", "bias"], 'b')
}

/// The name without the word for its role, which is sought in its last segment; a single letter
/// counts only if it is all the segment has but for its number (`W1`, `b_2`).
fn stem(name: &str, words: &[&str], letter: char) -> Option<String> {
    let start = name.rfind(['.', '/']).map_or(0, |i| i + 1);
    let (prefix, last) = name.split_at(start);
    let lower = last.to_ascii_lowercase();
    for word in words {
        if let Some(at) = lower.rfind(word) {
            return Some(format!("{prefix}{}{}", &last[..at], &last[at + word.len()..]));
        }
    }
    let number = lower.strip_prefix(letter)?.trim_start_matches('_');
    number.bytes().all(|b| b.is_ascii_digit()).then(|| format!("{prefix}{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_are_numbers() {
        let mut names = [
            "10.weight",
            "2.weight",
            "0.weight",
            "fc10.w",
            "fc9.w",
            "W2",
            "W10",
            "W1",
            "é2",
            "é10",
        ];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            [
                "0.weight",
                "2.weight",
                "10.weight",
                "W1",
                "W2",
                "W10",
                "fc9.w",
                "fc10.w",
                "é2",
                "é10"
            ]
        );
        assert_eq!(natural("W007", "W7"), "W007".cmp("W7"));
        assert_eq!(natural("1", "1.0"), Ordering::Less);
    }

    #[test]
    fn a_bias_finds_its_weight() {
        for (weight, bias) in [
            ("0.weight", "0.bias"),
            ("net.fc1.weight", "net.fc1.bias"),
            ("W1", "b1"),
            ("W_1", "b_1"),
            ("W", "b"),
            ("weights_2", "biases_2"),
            ("weights_2", "bias_2"),
            ("dense/kernel", "dense/bias"),
            ("weight", "bias"),
        ] {
            assert_eq!(Some(weight_stem(weight)), bias_stem(bias), "{weight} {bias}");
        }
        for other in ["1.weight", "running_mean", "gamma", "beta", "b1x"] {
            assert_eq!(bias_stem(other), None, "{other}");
        }
        assert_ne!(Some(weight_stem("0.weight")), bias_stem("2.bias"));
    }

    proptest! {
        #[test]
        fn natural_is_a_total_order(a in "[aé0-9]{0,5}", b in "[aé0-9]{0,5}", c in "[aé0-9]{0,5}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b) == Ordering::Equal, a == b);
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
