//! One layer: a parameter vector and the pattern by which a matrix uses it.
use super::{MAX_BITS, MAX_ENTRIES, NetworkError};
use crate::number::{BigInt, IntVec, Rational, ScaledVec};

/// A weight matrix whose entries are structural zeros or coordinates of a parameter vector.
/// Coordinates are numbered by first use, row by row; each is used at least once.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    rows: usize,
    cols: usize,
    pattern: Pattern,
    parameters: ScaledVec,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// Entry `(r, c)` is coordinate `r·cols + c`.
    Dense,
    /// Entry `(r, c)` is the coordinate at `r·cols + c` of the list, `None` a structural zero.
    Sparse(Vec<Option<usize>>),
}

impl Layer {
    /// A fully connected layer; `weights` row by row. `layer` (from 1) is for messages only.
    ///
    /// # Errors
    /// Shapes that are empty, too large, or do not match the number of weights.
    pub fn dense(
        layer: usize,
        rows: usize,
        cols: usize,
        weights: ScaledVec,
    ) -> Result<Self, NetworkError> {
        let entries = checked_shape(layer, rows, cols)?;
        if weights.len() != entries {
            let (found, row) = (weights.len(), 0);
            return Err(NetworkError::Ragged { layer, row, found, expected: entries });
        }
        Ok(Self { rows, cols, pattern: Pattern::Dense, parameters: weights })
    }

    /// A layer by its pattern: `pattern[r][c]` is an index into `parameters`, or `None` for a
    /// structural zero. Coordinates are renumbered by first use.
    ///
    /// # Errors
    /// Shape errors, indices out of range, and coordinates that are never used.
    pub fn new(
        layer: usize,
        pattern: &[Vec<Option<usize>>],
        parameters: &[Rational],
    ) -> Result<Self, NetworkError> {
        let (rows, cols) = (pattern.len(), pattern.first().map_or(0, Vec::len));
        checked_shape(layer, rows, cols)?;
        let mut order = Vec::with_capacity(parameters.len());
        let mut number = vec![None; parameters.len()];
        let mut entries = Vec::with_capacity(rows * cols);
        for (row, list) in pattern.iter().enumerate() {
            if list.len() != cols {
                let found = list.len();
                return Err(NetworkError::Ragged { layer, row, found, expected: cols });
            }
            for &entry in list {
                let Some(index) = entry else {
                    entries.push(None);
                    continue;
                };
                let count = parameters.len();
                let slot = number.get_mut(index);
                let slot = slot.ok_or(NetworkError::NoSuchParameter { layer, index, count })?;
                if slot.is_none() {
                    *slot = Some(order.len());
                    order.push(index);
                }
                entries.push(*slot);
            }
        }
        if let Some(index) = number.iter().position(Option::is_none) {
            return Err(NetworkError::Unused { layer, index });
        }
        let values: Vec<_> = order.iter().filter_map(|&i| parameters.get(i).cloned()).collect();
        let dense = entries.iter().enumerate().all(|(i, e)| *e == Some(i));
        let pattern = if dense { Pattern::Dense } else { Pattern::Sparse(entries) };
        let parameters = ScaledVec::from_rationals_within(&values, MAX_BITS);
        let parameters = parameters.map_err(NetworkError::TooLong)?;
        Ok(Self { rows, cols, pattern, parameters })
    }

    /// The same pattern with other parameter values; `None` if their number differs.
    pub fn with_parameters(&self, parameters: ScaledVec) -> Option<Self> {
        let fits = parameters.len() == self.parameters.len();
        fits.then(|| Self { parameters, pattern: self.pattern.clone(), ..*self })
    }

    /// Number of outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The parameter vector `u⁽ˡ⁾`.
    pub fn parameters(&self) -> &ScaledVec {
        &self.parameters
    }

    /// The coordinate that entry `(r, c)` uses; `None` for a structural zero.
    pub fn coordinate(&self, r: usize, c: usize) -> Option<usize> {
        match &self.pattern {
            Pattern::Dense => Some(r * self.cols + c),
            Pattern::Sparse(entries) => entries.get(r * self.cols + c).copied().flatten(),
        }
    }

    /// Whether every entry is a coordinate of its own.
    pub fn is_dense(&self) -> bool {
        self.pattern == Pattern::Dense
    }

    /// Whether the two matrices have equal shapes and use their coordinates alike.
    pub fn same_pattern(&self, other: &Self) -> bool {
        (self.rows, self.cols) == (other.rows, other.cols) && self.pattern == other.pattern
    }

    /// Largest number of entries that use one coordinate.
    pub fn max_uses(&self) -> usize {
        match &self.pattern {
            Pattern::Dense => 1,
            Pattern::Sparse(entries) => {
                let mut uses = vec![0usize; self.parameters.len()];
                for index in entries.iter().flatten() {
                    if let Some(u) = uses.get_mut(*index) {
                        *u += 1;
                    }
                }
                uses.into_iter().max().unwrap_or(0)
            }
        }
    }

    /// Row `r` of the matrix, structural zeros as 0, over the layer's denominator.
    pub fn row(&self, r: usize) -> ScaledVec {
        let all = self.parameters.numerators();
        let entry = |c| self.coordinate(r, c).map_or(BigInt::ZERO, |i| all.get(i));
        let row = IntVec::new((0..self.cols).map(entry).collect());
        let denominator = self.parameters.denominator().clone();
        ScaledVec::new(row, denominator).unwrap_or_else(|| ScaledVec::from_rationals(&[]))
    }

    /// Columns of row `r` that are not structural zeros.
    pub fn support(&self, r: usize) -> Vec<usize> {
        (0..self.cols).filter(|&c| self.coordinate(r, c).is_some()).collect()
    }
}

fn checked_shape(layer: usize, rows: usize, cols: usize) -> Result<usize, NetworkError> {
    if rows == 0 || cols == 0 {
        return Err(NetworkError::Empty { layer, rows, cols });
    }
    match rows.checked_mul(cols) {
        Some(entries) if entries <= MAX_ENTRIES => Ok(entries),
        other => Err(NetworkError::TooLarge { layer, entries: other.unwrap_or(usize::MAX) }),
    }
}
