//! Dense least squares through faer.
use faer::Mat;

/// Columns in an orthonormal frame: `A = Q R`, `Q` with orthonormal columns.
pub struct Frame {
    q: Mat<f64>,
    /// Coordinates of the columns in the frame, one vector per column.
    pub columns: Vec<Vec<f64>>,
}

impl Frame {
    /// The frame of these columns (equal lengths). With more columns than rows, the identity.
    pub fn new(columns: &[Vec<f64>]) -> Self {
        let rows = columns.first().map_or(0, Vec::len);
        let a = Mat::from_fn(rows, columns.len(), |r, c| columns[c][r]);
        let qr = a.qr();
        let q = qr.compute_thin_Q();
        let r = qr.thin_R();
        let column = |c| (0..r.nrows()).map(|k| r[(k, c)]).collect();
        Self { q, columns: (0..columns.len()).map(column).collect() }
    }

    /// Coordinates of the projection of `v` onto the frame.
    pub fn project(&self, v: &[f64]) -> Vec<f64> {
        let q = &self.q;
        (0..q.ncols()).map(|k| (0..q.nrows()).map(|r| q[(r, k)] * v[r]).sum()).collect()
    }
}

/// A minimiser of `|Σ_c z_c columns_c − target|`, the shortest if there are several; `None` if the
/// decomposition fails.
pub fn solve(columns: &[Vec<f64>], target: &[f64]) -> Option<Vec<f64>> {
    if columns.is_empty() {
        return Some(Vec::new());
    }
    // Unit columns make the rank decision independent of their scales.
    let norms: Vec<f64> =
        columns.iter().map(|c| super::two_layer::length(c).max(f64::MIN_POSITIVE)).collect();
    let a = Mat::from_fn(target.len(), columns.len(), |r, c| columns[c][r] / norms[c]);
    let svd = a.thin_svd().ok()?;
    let (u, s, v) = (svd.U(), svd.S().column_vector(), svd.V());
    let cutoff = 1e-13 * if s.nrows() > 0 { s[0] } else { 0.0 };
    let mut z = vec![0.0; columns.len()];
    for k in 0..s.nrows() {
        if s[k] <= cutoff {
            continue;
        }
        let along: f64 = (0..target.len()).map(|r| u[(r, k)] * target[r]).sum();
        for (c, slot) in z.iter_mut().enumerate() {
            *slot += v[(c, k)] * along / s[k];
        }
    }
    z.iter_mut().zip(&norms).for_each(|(z, n)| *z /= n);
    Some(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_projects() {
        let columns = vec![vec![1.0, 0.0, 1.0], vec![0.0, 2.0, 0.0]];
        let z = solve(&columns, &[1.0, 4.0, 1.0]).unwrap();
        assert!((z[0] - 1.0).abs() < 1e-12 && (z[1] - 2.0).abs() < 1e-12);
        let frame = Frame::new(&columns);
        let p = frame.project(&[1.0, 4.0, 1.0]);
        let back: f64 = p.iter().map(|v| v * v).sum();
        assert!((back - 18.0).abs() < 1e-9);
    }

    #[test]
    fn a_repeated_column_is_shared() {
        let column = vec![3.0, 4.0];
        let z = solve(&[column.clone(), column], &[3.0, 4.0]).unwrap();
        assert!((z[0] + z[1] - 1.0).abs() < 1e-12);
    }
}
