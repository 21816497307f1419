//! Rule 3.7 (`dual_bound`).
mod common;

use common::*;
use maxmargin_kernel::proof::dual_bound::{Cone, DualBoundError};

#[test]
fn the_smallest_i8_is_not_a_sign() {
    let problem = fixture_e();
    for cone in [
        Cone { sign: i8::MIN, inputs: None, fixed: vec![] },
        Cone { sign: 1, inputs: None, fixed: vec![(0, i8::MIN)] },
    ] {
        let proof = dual(&[(0, 1), (1, 1)], vec![(cone, vec![close(&[0, 0])])]);
        let refused = proof.check(&problem, &at_most("everywhere", "1"));
        assert_eq!(refused, Err(DualBoundError::Sign(0).into()));
    }
}
