//! Vectors of numbers, their equality, and operator norms.
mod common;

use common::{n, q};
use maxmargin_kernel::number::{BigInt, IntVec, Rational, ScaledVec, compare};
use maxmargin_kernel::proof::elimination::operator_norm_at_most;
use std::cmp::Ordering;

fn vector(text: &str) -> ScaledVec {
    ScaledVec::from_rationals(&text.split_whitespace().map(q).collect::<Vec<_>>())
}

#[test]
fn a_denominator_is_positive() {
    let with = |d: i64| ScaledVec::new(IntVec::from_i64(vec![1, 2]), BigInt::from(d));
    assert!(with(1).is_some() && with(0).is_none() && with(-1).is_none());
}

#[test]
fn floats_far_apart_and_floats_at_the_edge_of_a_word_are_exact() {
    let close = ((1u64 << 53) - 1) as f64;
    for floats in [
        // A 53-bit integer 20 places above the lowest: 73 bits.
        vec![close, 2f64.powi(-20)],
        vec![-close, 2f64.powi(-9), 2f64.powi(-10)],
        vec![close, 2f64.powi(-11), 1.0],
        // One bit, 62 to 64 places up.
        vec![2f64.powi(10), 2f64.powi(-52)],
        vec![2f64.powi(10), 2f64.powi(-53)],
        vec![-2f64.powi(10), 2f64.powi(-54)],
        vec![0.5, -3.0, 0.0],
    ] {
        let exact: Vec<Rational> =
            floats.iter().map(|x| Rational::from_float(*x).unwrap()).collect();
        let all = ScaledVec::from_f64s(&floats).unwrap().to_rationals();
        let equal = all.iter().zip(&exact).all(|(a, b)| compare(a, b).is_eq());
        assert!(equal && all.len() == exact.len(), "{floats:?}");
    }
}

#[test]
fn signs_are_known_at_every_length() {
    for bits in [0, 62, 63, 64, 126, 127, 128, 300] {
        let one: BigInt = BigInt::from(1) << bits;
        let vector = IntVec::new(vec![one.clone(), -one, BigInt::from(0)]);
        let signs: Vec<_> = (0..4).map(|i| vector.sign(i)).collect();
        assert_eq!(signs, [Ordering::Greater, Ordering::Less, Ordering::Equal, Ordering::Equal]);
    }
}

#[test]
fn a_vector_of_integers_has_one_form() {
    for entry in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
        let (short, any) = (IntVec::from_i64(vec![entry]), IntVec::new(vec![entry.into()]));
        assert_eq!(short, any, "{entry}");
        assert!(!short.is_empty());
    }
    assert!(vector("").is_empty() && !vector("0").is_empty());
}

#[test]
fn numbers_are_equal_by_value() {
    assert_eq!(n("0.5"), n("1/2"));
    assert_ne!(n("1/2"), n("1/3"));
    assert_ne!(n("1/2"), n("-1/2"));
}

/// Signs beside the diagonal matter from three rows on.
#[test]
fn the_norm_of_a_matrix_of_rank_one_is_known() {
    // c·(1, 1, 1)ᵀ(1, 1, 1) has norm 3|c|; and with three or more rows or columns.
    for (row, scale) in
        [("1/3 1/3 1/3", 3), ("1/6 1/6 1/6 1/6 1/6 1/6 1/6 1/6 1/6 1/6 1/6 1/6", 12)]
    {
        let rows = vec![vector(row); scale];
        let norm = if scale == 3 { q("1") } else { q("4") };
        let (below, above) = (&norm - q("1/1000"), &norm + q("1/1000"));
        assert!(operator_norm_at_most(&rows, &norm).unwrap());
        assert!(operator_norm_at_most(&rows, &above).unwrap());
        assert!(!operator_norm_at_most(&rows, &below).unwrap());
    }
    // Four rows of three columns, (1, −1, 1) each: 2·√3.
    let rows = vec![vector("1 -1 1"); 4];
    assert!(operator_norm_at_most(&rows, &q("12")).unwrap());
    assert!(!operator_norm_at_most(&rows, &q("11.9")).unwrap());
}

#[test]
fn no_norm_is_below_a_negative_square() {
    for rows in [vec![], vec![vector("0 0")], vec![vector("1")]] {
        assert!(!operator_norm_at_most(&rows, &q("-1")).unwrap());
    }
    assert!(operator_norm_at_most(&[vector("0 0")], &q("0")).unwrap());
}
