//! Arrays of an npz file: a zip archive of npy entries.
//!
//! An entry states its size twice, in the zip directory and by the shape in its npy header. The
//! two are compared and bounded before anything is decompressed past the header, so that a few
//! kilobytes cannot claim the memory of the machine.
use super::error::{ImportError, Shape};
use super::limits::{MAX_ELEMENTS, MAX_NPY_HEADER};
use super::tensors::{Budget, Format};
use ndarray_npy::npy::header::{Header, Layout, ParseHeaderError, ReadHeaderError};
use std::io::{Cursor, Read};
use std::path::Path;
use zip::ZipArchive;

/// An npz file in memory.
pub(super) struct Npz<'a> {
    file: &'a Path,
    zip: ZipArchive<Cursor<&'a [u8]>>,
    budget: Budget,
}

/// An array's header.
pub(super) struct Info {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) format: Format,
    big_endian: bool,
    fortran: bool,
    header: usize,
    entry: usize,
}

/// What `expected` says of element types.
pub(super) struct Accepted {
    pub(super) floats_only: bool,
    pub(super) text: &'static str,
}

impl<'a> Npz<'a> {
    pub(super) fn open(file: &'a Path, bytes: &'a [u8]) -> Result<Self, ImportError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| {
            let reason = format!("{e} (an npz file is a zip archive; truncated?)");
            ImportError::Malformed { file: file.into(), format: "npz", reason }
        })?;
        Ok(Self { file, zip, budget: Budget::default() })
    }

    /// Names of the arrays, by entry of the archive.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |i| self.zip.name_for_index(i).unwrap_or_default();
        let plain = |name: &str| name.strip_suffix(".npy").unwrap_or(name).to_string();
        (0..self.zip.len()).map(|i| plain(name(i))).collect()
    }

    /// Reads the header of one entry. `check` judges the shape before the element type is.
    pub(super) fn info(
        &mut self,
        entry: usize,
        name: &str,
        accepted: &Accepted,
        check: impl Fn(&Shape) -> Result<(), ImportError>,
    ) -> Result<Info, ImportError> {
        let file = self.file;
        let malformed = |reason: String| malformed(file, name, &reason);
        let mut reader = self.zip.by_index(entry).map_err(|e| malformed(e.to_string()))?;
        let declared = reader.size();
        let bytes = read_header(&mut reader).map_err(&malformed)?;
        let header = Header::from_reader(&mut bytes.as_slice());
        let header = header.map_err(|e| malformed(describe(&e)))?;
        let shape = Shape(header.shape.clone());
        check(&shape)?;
        let descr = header.type_descriptor.as_string().map_or("", String::as_str);
        let parsed = parse_descr(descr).filter(|(f, _)| f.is_float() || !accepted.floats_only);
        let (format, big_endian) = parsed.ok_or_else(|| ImportError::Dtype {
            file: file.into(),
            tensor: name.into(),
            dtype: header.type_descriptor.to_string(),
            supported: accepted.text,
        })?;
        self.budget.admit(file, name, &shape)?;
        let expected = bytes.len() as u128 + shape.elements() * format.bytes() as u128;
        if expected != u128::from(declared) {
            return Err(malformed(format!(
                "shape {shape} of {descr} takes {expected} bytes with its header, the archive says {declared}"
            )));
        }
        let fortran = header.layout == Layout::Fortran;
        let (name, header) = (name.to_string(), bytes.len());
        Ok(Info { name, shape, format, big_endian, fortran, header, entry })
    }

    /// The raw elements of an array, in the order of the file.
    fn data(&mut self, info: &Info) -> Result<Vec<u8>, ImportError> {
        let file = self.file;
        let malformed = |reason: String| malformed(file, &info.name, &reason);
        let mut reader = self.zip.by_index(info.entry).map_err(|e| malformed(e.to_string()))?;
        let mut header = vec![0; info.header];
        reader.read_exact(&mut header).map_err(|e| malformed(e.to_string()))?;
        // Bounded by `Budget::admit`; the vector grows with what is really there.
        let size = info.shape.elements() as u64 * info.format.bytes() as u64;
        let mut data = Vec::new();
        reader.take(size + 1).read_to_end(&mut data).map_err(|e| malformed(e.to_string()))?;
        if data.len() as u64 != size {
            let found = data.len();
            return Err(malformed(format!("{size} bytes announced, at least {found} found")));
        }
        Ok(data)
    }

    /// A float array, row by row.
    pub(super) fn floats(&mut self, info: &Info) -> Result<Vec<f64>, ImportError> {
        let values = info.format.floats(&self.data(info)?, info.big_endian);
        Ok(info.by_rows(values))
    }

    /// An integer array, row by row.
    pub(super) fn integers(&mut self, info: &Info) -> Result<Vec<i128>, ImportError> {
        let values = info.format.integers(&self.data(info)?, info.big_endian);
        Ok(info.by_rows(values))
    }

    /// Gives the account of sizes back for what is made of the arrays.
    pub(super) fn into_budget(self) -> Budget {
        self.budget
    }
}

impl Info {
    /// Vectors and matrices only: Fortran order has the first index fastest.
    fn by_rows<T: Copy>(&self, values: Vec<T>) -> Vec<T> {
        match self.shape.0.as_slice() {
            [rows, columns] if self.fortran => {
                let entry = |r, c| values[c * rows + r];
                (0..*rows).flat_map(|r| (0..*columns).map(move |c| entry(r, c))).collect()
            }
            _ => values,
        }
    }
}

fn malformed(file: &Path, name: &str, reason: &str) -> ImportError {
    let reason = format!("array `{name}`: {reason}");
    ImportError::Malformed { file: file.into(), format: "npz", reason }
}

/// The bytes of an npy header, with its length and nesting bounded before it is parsed.
fn read_header(reader: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; 10];
    let mut more = |bytes: &mut Vec<u8>, from: usize| {
        reader.read_exact(&mut bytes[from..]).map_err(|e| format!("its npy header: {e}"))
    };
    more(&mut bytes, 0)?;
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err("it does not begin as an npy array does".into());
    }
    let mut length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    if bytes[6] > 1 {
        bytes.resize(12, 0);
        more(&mut bytes, 10)?;
        length |= usize::from(u16::from_le_bytes([bytes[10], bytes[11]])) << 16;
    }
    if length > MAX_NPY_HEADER {
        return Err(format!("its npy header of {length} bytes exceeds {MAX_NPY_HEADER}"));
    }
    let from = bytes.len();
    bytes.resize(from + length, 0);
    more(&mut bytes, from)?;
    // The parser of the Python literal recurses; a plain array has one dict and one tuple.
    if bytes[from..].iter().filter(|b| b"([{".contains(b)).count() > 16 {
        return Err("its dtype is a structure; plain arrays are supported".into());
    }
    Ok(bytes)
}

fn describe(error: &ReadHeaderError) -> String {
    match error {
        // Its text is a page of grammar.
        ReadHeaderError::Parse(ParseHeaderError::DictParse(_)) => {
            "its npy header is not a Python dict".into()
        }
        other => format!("its npy header: {other}"),
    }
}

/// Element type and byte order of `<f8` and the like.
fn parse_descr(descr: &str) -> Option<(Format, bool)> {
    let order = descr.chars().next()?;
    let big_endian = match order {
        '<' | '|' => false,
        '>' => true,
        _ => return None,
    };
    let int = |bytes, signed| Format::Int { bytes, signed };
    let format = match &descr[1..] {
        "f2" => Format::F16,
        "f4" => Format::F32,
        "f8" => Format::F64,
        "b1" => Format::Bool,
        "i1" => int(1, true),
        "i2" => int(2, true),
        "i4" => int(4, true),
        "i8" => int(8, true),
        "u1" => int(1, false),
        "u2" => int(2, false),
        "u4" => int(4, false),
        "u8" => int(8, false),
        _ => return None,
    };
    Some((format, big_endian))
}

// A header of shape (2^60, 2^60) must not overflow the sizes above.
const _: () = assert!(MAX_ELEMENTS < 1 << 40);
