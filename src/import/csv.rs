//! Data sets in csv files: exact decimals, one sample a line.
use super::error::{CsvError, ImportError};
use super::limits::check_fractions;
use super::tensors::Budget;
use super::{Dataset, Source};
use csv::{ReaderBuilder, StringRecord, Trim};
use maxmargin_kernel::number::{BigInt, IntVec, Rational, ScaledVec, parse_rational};
use maxmargin_kernel::problem::Data;
use num_integer::Integer;
use num_traits::{One, ToPrimitive, Zero};
use std::path::Path;

pub(super) fn load(file: &Path, bytes: &[u8], label: Option<&str>) -> Result<Dataset, ImportError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut table = Table::new(file, bytes);
    let mut budget = Budget::default();
    let (mut samples, mut labels) = (Vec::new(), Vec::new());
    let mut record = table.next()?;
    let first = record.take();
    let Some(first) = first else { return finish(file, samples, labels) };
    let columns = first.len();
    if columns < 2 {
        return Err(table.error(&first, 0, CsvError::NoFeatures));
    }
    let header = table.is_header(&first)?;
    let label = label_column(file, &first, header, label)?;
    record = if header { table.next()? } else { Some(first) };
    while let Some(line) = record {
        if line.len() != columns {
            let column = line.len().min(columns);
            let error = CsvError::Ragged { found: line.len(), expected: columns };
            return Err(table.error(&line, column, error));
        }
        let mut entries = Vec::with_capacity(columns);
        for (column, cell) in line.iter().enumerate() {
            let value = number(cell).map_err(|e| match e {
                CsvError::Number(_) if column == label => CsvError::Label(cell.into()),
                other => other,
            });
            let value = value.map_err(|e| table.error(&line, column, e))?;
            if column != label {
                entries.push(value);
                continue;
            }
            let integer = value.is_integer().then(|| value.numer().to_i64()).flatten();
            let bad = || table.error(&line, column, CsvError::Label(cell.into()));
            labels.push(integer.ok_or_else(bad)?);
        }
        let x = exact(file, &entries, &mut budget)?;
        let sample = samples.len();
        check_fractions(file, &x, |feature| format!("feature {feature} of sample {sample}"))?;
        samples.push(x);
        record = table.next()?;
    }
    finish(file, samples, labels)
}

fn finish(file: &Path, samples: Vec<ScaledVec>, labels: Vec<i64>) -> Result<Dataset, ImportError> {
    let data = Data::new(samples, labels);
    let data = data.map_err(|error| ImportError::Data { file: file.into(), error })?;
    Ok(Dataset { data, source: Source::Floats })
}

fn number(cell: &str) -> Result<Rational, CsvError> {
    match cell {
        "" => Err(CsvError::Empty),
        _ => parse_rational(cell).map_err(CsvError::Number),
    }
}

/// The label's index: a name of the header first, else a number.
fn label_column(
    file: &Path,
    first: &StringRecord,
    header: bool,
    label: Option<&str>,
) -> Result<usize, ImportError> {
    let Some(asked) = label else { return Ok(first.len() - 1) };
    let named = if header { first.iter().position(|name| name == asked) } else { None };
    let index = named.or_else(|| asked.parse().ok().filter(|i| *i < first.len()));
    index.ok_or_else(|| ImportError::LabelColumn {
        file: file.into(),
        asked: asked.into(),
        present: match header {
            true => first.iter().map(String::from).collect(),
            false => (0..first.len()).map(|i| i.to_string()).collect(),
        },
    })
}

/// The exact vector of one line. Its common denominator can be far longer than any of its
/// numbers (think of 1/p for many primes p), so its length is bounded while it grows.
fn exact(file: &Path, entries: &[Rational], budget: &mut Budget) -> Result<ScaledVec, ImportError> {
    let longest = entries.iter().map(|e| e.numer().bits()).max().unwrap_or(0);
    let mut denominator = BigInt::one();
    for entry in entries {
        let d = entry.denom();
        // One division first: a gcd of a long and a short number takes quadratic time.
        let rest = &denominator % d;
        if !rest.is_zero() {
            denominator *= d / rest.gcd(d);
            let bits = denominator.bits() + longest;
            budget.would_admit_exact(file, "the samples", entries.len(), bits)?;
        }
    }
    budget.admit_exact(file, "the samples", entries.len(), denominator.bits() + longest)?;
    let scaled = entries.iter().map(|e| e.numer() * (&denominator / e.denom())).collect();
    Ok(ScaledVec::new(IntVec::new(scaled), denominator).expect("a product of denominators"))
}

struct Table<'a> {
    file: &'a Path,
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
}

impl<'a> Table<'a> {
    fn new(file: &'a Path, bytes: &'a [u8]) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).trim(Trim::All);
        Self { file, bytes, reader: builder.from_reader(bytes) }
    }

    fn next(&mut self) -> Result<Option<StringRecord>, ImportError> {
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(true) => Ok(Some(record)),
            Ok(false) => Ok(None),
            Err(e) => {
                let column = match e.kind() {
                    csv::ErrorKind::Utf8 { err, .. } => err.field(),
                    _ => 0,
                };
                let line = self.line_at(e.position());
                let error = CsvError::Text(e.to_string());
                Err(ImportError::Csv { file: self.file.into(), line, column: column + 1, error })
            }
        }
    }

    /// A header has no number in it. A line with both would be read wrongly either way.
    fn is_header(&self, first: &StringRecord) -> Result<bool, ImportError> {
        let numeric: Vec<_> = first.iter().map(|cell| parse_rational(cell).is_ok()).collect();
        let unnamed = first.iter().position(str::is_empty);
        match (numeric.contains(&true), numeric.iter().position(|n| !n)) {
            (true, None) => Ok(false),
            (true, Some(column)) => {
                let cell = first.get(column).unwrap_or_default();
                let error = match cell {
                    "" => CsvError::Empty,
                    _ => CsvError::MixedHeader(cell.into()),
                };
                Err(self.error(first, column, error))
            }
            (false, _) => match unnamed {
                Some(column) => Err(self.error(first, column, CsvError::Unnamed)),
                None => Ok(true),
            },
        }
    }

    fn error(&self, record: &StringRecord, column: usize, error: CsvError) -> ImportError {
        let line = self.line_at(record.position());
        ImportError::Csv { file: self.file.into(), line, column: column + 1, error }
    }

    /// The line, from 1, of the record that begins at `position` or after the line ends there.
    fn line_at(&self, position: Option<&csv::Position>) -> u64 {
        let start = position.map_or(0, |p| p.byte() as usize).min(self.bytes.len());
        let rest = &self.bytes[start..];
        let skipped = rest.iter().take_while(|b| b"\r\n".contains(b)).count();
        let before = &self.bytes[..start + skipped];
        1 + before.iter().filter(|b| **b == b'\n').count() as u64
    }
}
