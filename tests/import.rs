//! Reading and writing models and data sets: every error by its variant and its facts.

/// Asserts the variant, that the message begins with the file, and every fact in it.
macro_rules! assert_error {
    ($result:expr, $file:expr, $variant:pat, $facts:expr) => {{
        let error: maxmargin::import::ImportError = $result.map(|_| ()).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, $variant), "{error:?}");
        let file = std::path::Path::new(&$file).display().to_string();
        assert!(text.starts_with(&file), "`{text}` does not begin with `{file}`");
        for fact in $facts {
            assert!(text.contains(fact), "`{text}` does not say `{fact}`");
        }
        let limit = matches!(error, maxmargin::import::ImportError::TooLarge { .. });
        assert_eq!(error.exit_code(), if limit { 4 } else { 2 }, "{text}");
    }};
}

#[path = "import/csv.rs"]
mod csv;
#[path = "import/json.rs"]
mod json;
#[path = "import/npz.rs"]
mod npz;
#[path = "import/onnx.rs"]
mod onnx;
#[path = "import/problem.rs"]
mod problem;
#[path = "import/pytorch.rs"]
mod pytorch;
#[path = "import/safetensors.rs"]
mod safetensors;
#[path = "import/save.rs"]
mod save;

use ::safetensors::tensor::{Dtype, TensorView, serialize};
use maxmargin::import::{
    DataOptions, Dataset, ImportError, Model, ModelOptions, load_data, load_model,
};
use maxmargin_kernel::number::format_rational;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory of files that are gone after the test.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn safetensors(&self, name: &str, tensors: &[(&str, &[usize], &[f64])]) -> PathBuf {
        self.write(name, safetensors_bytes(tensors))
    }
}

/// A float64 safetensors file.
fn safetensors_bytes(tensors: &[(&str, &[usize], &[f64])]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|t| t.2.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (name.to_string(), TensorView::new(Dtype::F64, shape.to_vec(), bytes).unwrap())
    });
    serialize(views, None).unwrap()
}

fn model(path: &Path) -> Result<Model, ImportError> {
    load_model(path, &ModelOptions::default())
}

fn data(path: &Path) -> Result<Dataset, ImportError> {
    load_data(path, &DataOptions::default())
}

fn data_by(path: &Path, label: &str) -> Result<Dataset, ImportError> {
    load_data(path, &DataOptions { label: Some(label.into()) })
}

/// The weights of every layer, row by row, as canonical fractions.
fn weights(model: &Model) -> Vec<Vec<String>> {
    let layer = |l: &maxmargin_kernel::network::Layer| {
        l.parameters().to_rationals().iter().map(format_rational).collect()
    };
    model.network.layers().iter().map(layer).collect()
}

/// The samples as canonical fractions.
fn samples(set: &Dataset) -> Vec<Vec<String>> {
    let row = |x: &maxmargin_kernel::number::ScaledVec| {
        x.to_rationals().iter().map(format_rational).collect()
    };
    set.data.samples().iter().map(row).collect()
}
