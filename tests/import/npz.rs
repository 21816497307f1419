use crate::{Files, data, model, samples, weights};
use maxmargin::import::{ImportError, Source};
use maxmargin_kernel::problem::DataError;
use ndarray::{Array1, Array2, ShapeBuilder, arr0, array};
use ndarray_npy::{NpzWriter, WriteNpyExt};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An npz file from writers of npy entries.
fn npz(arrays: &[(&str, Vec<u8>)], compressed: bool) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let method = if compressed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn npy(array: &impl WriteNpyExt) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

/// An npy entry by hand.
fn raw(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), data].concat()
}

#[test]
fn models() {
    let files = Files::new();
    for compressed in [false, true] {
        let f16 = raw("'<f2'", false, "(1, 3)", &[0x00, 0x3c, 0x01, 0x00, 0x00, 0xc0]);
        let f32_big = raw("'>f4'", false, "(3,)", &[0, 0, 0, 0, 0x3f, 0x80, 0, 0, 0, 0, 0, 0]);
        let w1 = npy(&Array2::from_shape_vec((3, 2).f(), vec![1.0, 2., 3., 4., 5., 6.]).unwrap());
        let bytes = npz(&[("W2", f16), ("W1", w1), ("b1", f32_big)], compressed);
        let m = model(&files.write("m.npz", bytes)).unwrap();
        assert_eq!((m.has_input_bias, m.source), (true, Source::Floats));
        assert_eq!(weights(&m)[0], ["1", "4", "0", "2", "5", "1", "3", "6", "0"]);
        assert_eq!(weights(&m)[1], ["1", "1/16777216", "-2"]);
    }
}

#[test]
fn the_writer_of_ndarray() {
    let files = Files::new();
    let path = files.path("d.npz");
    let mut npz = NpzWriter::new_compressed(std::fs::File::create(&path).unwrap());
    npz.add_array("X", &array![[0.5f32, 1.0], [2.0, 3.0]]).unwrap();
    npz.add_array("y", &array![true, false]).unwrap();
    npz.add_array("names", &array![1u8]).unwrap();
    npz.finish().unwrap();
    let set = data(&path).unwrap();
    assert_eq!(
        (samples(&set), set.source),
        (vec![vec!["1/2".into(), "1".into()], vec!["2".into(), "3".into()]], Source::Floats)
    );
    assert_eq!(set.data.labels(), [1, 0]);
}

#[test]
fn integers_are_exact() {
    let files = Files::new();
    let x = npy(&array![[i64::MAX, i64::MIN], [0, 1]]);
    for y in [npy(&array![1i8, -1]), npy(&array![[1.0f32], [-1.0]]), npy(&array![1i64, -1])] {
        let set = data(&files.write("d.npz", npz(&[("X", x.clone()), ("y", y)], true))).unwrap();
        assert_eq!(samples(&set)[0], ["9223372036854775807", "-9223372036854775808"]);
        assert_eq!(set.data.labels(), [1, -1]);
    }
    let x = npy(&array![[u64::MAX], [1]]);
    let set = data(&files.write("d.npz", npz(&[("X", x), ("y", npy(&array![1u64, 0]))], false)));
    assert_eq!(samples(&set.unwrap())[0], ["18446744073709551615"]);
}

#[test]
fn arrays_that_are_not_data() {
    let files = Files::new();
    let write = |x: Vec<u8>, y: Vec<u8>| files.write("d.npz", npz(&[("X", x), ("y", y)], true));
    let x = || npy(&array![[1.0], [2.0]]);
    let y = || npy(&array![1, -1]);
    let path = files.write("d.npz", npz(&[("data", x()), ("target", y())], false));
    let facts = ["`X`", "`data`, `target`"];
    assert_error!(data(&path), path, ImportError::MissingArray { .. }, facts);
    let path = files.write("d.npz", npz(&[("X", x())], false));
    assert_error!(data(&path), path, ImportError::MissingArray { .. }, ["`y`", "contains `X`"]);
    let path = write(npy(&array![1.0, 2.0]), y());
    let facts = ["`X`", "(2,)", "(samples, features)"];
    assert_error!(data(&path), path, ImportError::ArrayShape { .. }, facts);
    let path = write(x(), npy(&array![[1, 0], [0, 1]]));
    assert_error!(data(&path), path, ImportError::ArrayShape { .. }, ["`y`", "(2, 2)"]);
    let path = write(x(), npy(&arr0(1)));
    assert_error!(data(&path), path, ImportError::ArrayShape { .. }, ["`y`", "single number"]);
    let path = write(npy(&Array2::<f64>::zeros((2, 0))), y());
    assert_error!(data(&path), path, ImportError::ArrayShape { .. }, ["`X`", "(2, 0)"]);
    let path = write(x(), npy(&array![1, -1, 1]));
    assert_error!(
        data(&path),
        path,
        ImportError::Data { error: DataError::Counts { .. }, .. },
        ["2 samples but 3 labels"]
    );
    let path = write(npy(&Array2::<f64>::zeros((0, 2))), npy(&Array1::<i32>::zeros(0)));
    assert_error!(
        data(&path),
        path,
        ImportError::Data { error: DataError::Empty, .. },
        ["no samples"]
    );
}

#[test]
fn values_that_are_not_data() {
    let files = Files::new();
    let write = |x: Vec<u8>, y: Vec<u8>| files.write("d.npz", npz(&[("X", x), ("y", y)], true));
    let x = || npy(&array![[1.0], [2.0]]);
    let path = write(npy(&array![[1.0, 2.0], [f64::NAN, 1.0]]), npy(&array![1, -1]));
    let facts = ["`X`", "NaN", "row 1, column 0"];
    assert_error!(data(&path), path, ImportError::NotFinite { .. }, facts);
    for (value, text) in [(0.5, "0.5"), (f64::NAN, "NaN"), (1e300, "1e300")] {
        let path = write(x(), npy(&array![1.0, value]));
        let facts = ["sample 1", text, "0, 1, 2"];
        assert_error!(data(&path), path, ImportError::Label { .. }, facts);
    }
    let path = write(x(), npy(&array![u64::MAX, 1]));
    let facts = ["sample 0", "18446744073709551615"];
    assert_error!(data(&path), path, ImportError::Label { .. }, facts);
    let path = write(npy(&Array2::<f64>::ones((150, 4))), npy(&Array1::<i32>::ones(150)));
    let facts = ["all 150 samples have label 1", "a network is trained to separate classes"];
    assert_error!(data(&path), path, ImportError::OneClass { .. }, facts);
}

#[test]
fn other_dtypes_are_named() {
    let files = Files::new();
    for (descr, fact, bytes) in
        [("'<c16'", "<c16", 16), ("'|O'", "|O", 8), ("'<U3'", "<U3", 12), ("'<f16'", "<f16", 16)]
    {
        let x = raw(descr, false, "(1, 1)", &vec![0; bytes]);
        let path = files.write("d.npz", npz(&[("X", x), ("y", npy(&array![1]))], false));
        let facts = ["`X`", fact, "float16", "integers"];
        assert_error!(data(&path), path, ImportError::Dtype { .. }, facts);
    }
    let path = files.write("m.npz", npz(&[("W1", npy(&array![[1i64]]))], false));
    let facts = ["`W1`", "<i8", "float16, float32, float64"];
    assert_error!(model(&path), path, ImportError::Dtype { .. }, facts);
    let structured = raw("[('a', '<f8'), ('b', '<f8')]", false, "(1, 1)", &[0; 16]);
    let path = files.write("m.npz", npz(&[("W1", structured)], false));
    assert_error!(model(&path), path, ImportError::Dtype { .. }, ["`W1`", "'a'"]);
    let path = files.write("m.npz", npz(&[("W1", npy(&arr0(1.0)))], false));
    assert_error!(model(&path), path, ImportError::Rank { .. }, ["`W1`", "single number"]);
}

#[test]
fn damaged_files_are_errors() {
    let files = Files::new();
    for compressed in [false, true] {
        let good = npz(&[("W1", npy(&array![[1.0, 2.0]]))], compressed);
        for length in 0..good.len() {
            let path = files.write("m.npz", &good[..length]);
            assert_error!(model(&path), path, ImportError::Malformed { .. }, ["npz"]);
        }
        for at in 0..good.len() {
            for change in [1, 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[at] ^= change;
                let _ = model(&files.write("m.npz", bytes));
            }
        }
    }
    let deep = format!("{}1{}", "(".repeat(4000), ")".repeat(4000));
    for (entry, fact) in [
        (b"nothing".to_vec(), "npy header"),
        (b"nothing to see here".to_vec(), "does not begin"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "4294967295 bytes exceeds"),
        (b"\x93NUMPY\x01\x00\x10\x00{".to_vec(), "npy header"),
        (raw("'<f8'", false, &deep, &[]), "structure"),
        (raw("'<f8'", false, "5", &[]), "shape"),
        (raw("'<f8", false, "(1, 1)", &[]), "not a Python dict"),
        (raw("'<f8'", false, "(2, 1)", &[0; 8]), "the archive says"),
        (raw("'<f8'", false, "(1, 1)", &[0; 9]), "the archive says"),
    ] {
        let path = files.write("m.npz", npz(&[("W1", entry)], true));
        assert_error!(model(&path), path, ImportError::Malformed { .. }, ["`W1`", fact]);
    }
}

#[test]
fn zip_bombs_are_refused() {
    let files = Files::new();
    // The shape alone claims terabytes; the entry does not even claim to hold them.
    for shape in ["(1000000, 1000000)", "(18446744073709551615, 18446744073709551615)"] {
        let path = files.write("m.npz", npz(&[("W1", raw("'<f8'", false, shape, &[]))], true));
        let facts = ["`W1`", "elements", "67108864"];
        assert_error!(model(&path), path, ImportError::TooLarge { .. }, facts);
    }
    // More than is announced: the directory's size is patched to that of a smaller array.
    let honest = raw("'<f8'", false, "(1, 1)", &[0; 8]);
    let bomb = [honest.clone(), vec![0; 1 << 20]].concat();
    let mut bytes = npz(&[("W1", bomb.clone())], true);
    let (lie, truth) = (honest.len() as u32, bomb.len() as u32);
    let mut patched = 0;
    for at in 0..bytes.len() - 4 {
        if bytes[at..at + 4] == truth.to_le_bytes() {
            bytes[at..at + 4].copy_from_slice(&lie.to_le_bytes());
            patched += 1;
        }
    }
    assert_eq!(patched, 2, "in the local header and in the directory");
    let path = files.write("m.npz", &bytes);
    assert_error!(model(&path), path, ImportError::Malformed { .. }, ["`W1`"]);
    // A small file of many zeros within the limits is no bomb.
    let zeros = npz(&[("W1", raw("'<f4'", false, "(1024, 512)", &vec![0; 1 << 21]))], true);
    assert!(zeros.len() < 1 << 13);
    assert!(model(&files.write("m.npz", zeros)).is_ok());
}
