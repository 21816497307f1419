//! Certificates on disk: written, read back by the kernel, and only then given their name.
use crate::target::Pending;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use maxmargin_kernel::certificate::{Certificate, Entry, ProblemEntry};
use maxmargin_kernel::check::{Failure, Limits, Report, check};
use maxmargin_kernel::problem::Problem;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

/// The first bytes of gzip.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// A certificate that the kernel verified from the bytes of its file.
#[derive(Debug)]
pub struct Sealed {
    /// The kernel's report.
    pub report: Report,
    /// Length of the file.
    pub bytes: u64,
}

/// Writes the certificate and has the kernel verify what was written; only then the file gets
/// its name. Without a path it is verified all the same. A name ending in `.gz` means gzip.
///
/// # Errors
/// [`Failure::Io`], or the kernel refuses: an internal error, since every entry was checked when it
/// was found.
pub fn seal(
    problem: &Problem,
    entries: Vec<Entry>,
    embed: bool,
    path: Option<&Path>,
) -> Result<Sealed, Failure> {
    let certificate = Certificate::new(ProblemEntry::new(problem, embed), entries);
    let fail = |e: std::io::Error| match path {
        Some(path) => Failure::Io(format!("cannot write {}: {e}", path.display())),
        None => Failure::Io(format!("cannot write a temporary file: {e}")),
    };
    let mut pending = path.map_or_else(Pending::nowhere, Pending::beside).map_err(fail)?;
    let zipped = path.is_some_and(is_gzip);
    let mut out = BufWriter::new(pending.file());
    write(&certificate, &mut out, zipped).and_then(|()| out.flush()).map_err(fail)?;
    drop(out);
    let bytes = pending.file().stream_position().map_err(fail)?;
    pending.file().rewind().map_err(fail)?;
    let report = check(reader(pending.file(), zipped), Some(problem), Limits::default())?;
    pending.commit().map_err(fail)?;
    Ok(Sealed { report, bytes })
}

/// A certificate file, unzipped if its name ends in `.gz`; `-` is the standard input, unzipped if it
/// begins as gzip does.
///
/// # Errors
/// The file cannot be opened.
pub fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        let mut source = BufReader::new(std::io::stdin());
        let zipped = source.fill_buf()?.starts_with(GZIP);
        return Ok(reader(source, zipped));
    }
    Ok(reader(File::open(path)?, is_gzip(path)))
}

/// The document and a newline.
fn write(certificate: &Certificate, out: &mut impl Write, zipped: bool) -> std::io::Result<()> {
    if zipped {
        let mut zip = GzEncoder::new(out, Compression::default());
        serde_json::to_writer(BufWriter::new(&mut zip), certificate)?;
        zip.write_all(b"\n")?;
        zip.finish().map(|_| ())
    } else {
        serde_json::to_writer(&mut *out, certificate)?;
        out.write_all(b"\n")
    }
}

fn reader<'a>(source: impl Read + 'a, zipped: bool) -> Box<dyn Read + 'a> {
    let source = BufReader::new(source);
    if zipped { Box::new(BufReader::new(MultiGzDecoder::new(source))) } else { Box::new(source) }
}

fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"))
}

/// The size of a gzip file before it is unpacked; `None` for any other file and for `-`.
pub fn stored(path: &Path) -> Option<u64> {
    let file = Some(path).filter(|path| is_gzip(path))?;
    std::fs::metadata(file).ok().map(|data| data.len())
}

/// The certificate as bytes, verified by the kernel from those bytes; for certificates that do not
/// go to a file.
///
/// # Errors
/// As [`seal`].
pub fn bytes(
    problem: &Problem,
    entries: Vec<Entry>,
    embed: bool,
) -> Result<(Vec<u8>, Report), Failure> {
    let certificate = Certificate::new(ProblemEntry::new(problem, embed), entries);
    let mut bytes = Vec::new();
    write(&certificate, &mut bytes, false).map_err(|e| Failure::Io(e.to_string()))?;
    let report = check(bytes.as_slice(), Some(problem), Limits::default())?;
    Ok((bytes, report))
}
