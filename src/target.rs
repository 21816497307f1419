//! Files to be written, all or nothing: into a temporary file beside the target, then renamed.
use crate::import::ImportError;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file on its way to its place: nothing is there, or what was there stays, until [`Pending::commit`].
pub(crate) struct Pending {
    file: NamedTempFile,
    target: Target,
}

enum Target {
    /// A name for the finished file; what has it now is replaced.
    Name(PathBuf),
    /// A device or a pipe, which takes a copy.
    Stream(PathBuf),
    /// None: the file is read once, and goes.
    Nowhere,
}

impl Pending {
    /// A temporary file in the folder of `path`. A symbolic link is followed, and a file that is to be
    /// replaced hands its permissions on.
    pub fn beside(path: &Path) -> std::io::Result<Self> {
        let Ok(found) = path.metadata() else {
            let file = in_folder(path)?;
            return Ok(Self { file, target: Target::Name(path.into()) });
        };
        if found.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        if !found.is_file() {
            return Ok(Self { file: NamedTempFile::new()?, target: Target::Stream(path.into()) });
        }
        let path = path.canonicalize()?;
        let file = in_folder(&path)?;
        file.as_file().set_permissions(found.permissions())?;
        Ok(Self { file, target: Target::Name(path) })
    }

    /// A file that is written only to be read back.
    pub fn nowhere() -> std::io::Result<Self> {
        Ok(Self { file: NamedTempFile::new()?, target: Target::Nowhere })
    }

    /// What is written so far.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Puts the file in its place.
    pub fn commit(mut self) -> std::io::Result<()> {
        match self.target {
            Target::Name(path) => {
                self.file.as_file().sync_all()?;
                self.file.persist(path).map_err(|e| e.error)?;
            }
            Target::Stream(path) => {
                self.file.rewind()?;
                let mut stream = OpenOptions::new().write(true).open(path)?;
                std::io::copy(&mut self.file, &mut stream)?;
                stream.flush()?;
            }
            Target::Nowhere => {}
        }
        Ok(())
    }
}

fn in_folder(path: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".maxmargin-");
    // Temporary files are private by default; this one becomes an ordinary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder(path))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes these bytes.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), ImportError> {
    let io = |error| ImportError::Io { file: path.into(), error };
    let mut pending = Pending::beside(path).map_err(io)?;
    pending.file().write_all(bytes).map_err(io)?;
    pending.commit().map_err(io)
}

/// Finds out before a long computation whether a file can be written there.
pub(crate) fn check(path: &Path) -> Result<(), ImportError> {
    let failed = |kind, what| ImportError::Io { file: path.into(), error: Error::new(kind, what) };
    if path == Path::new("-") {
        let what = "standard output has the report: give the name of a file";
        return Err(failed(ErrorKind::InvalidInput, what.to_string()));
    }
    check_folder(path)?;
    let tried = Pending::beside(path).map(drop);
    tried.map_err(|error| failed(error.kind(), format!("cannot be written: {error}")))
}

/// Whether the folder of a file that is to be written exists.
pub(crate) fn check_folder(path: &Path) -> Result<(), ImportError> {
    let io = |error| ImportError::Io { file: path.into(), error };
    match folder(path).metadata() {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(io(ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let parent = folder(path).display();
            let what = format!("cannot be written, since there is no folder {parent}");
            Err(io(Error::new(error.kind(), what)))
        }
        Err(error) => Err(io(error)),
    }
}

/// Whether two names are those of one file, which need not exist.
pub(crate) fn same(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| {
        path.canonicalize().or_else(|_| {
            let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
            folder(path).canonicalize().map(|folder| folder.join(name))
        })
    };
    matches!((place(a), place(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        check(&path).unwrap();
        let mut unfinished = Pending::beside(&path).unwrap();
        unfinished.file().write_all(b"half").unwrap();
        drop(unfinished);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        write(&path, b"first").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
            let link = folder.path().join("link");
            std::os::unix::fs::symlink("file", &link).unwrap();
            write(&link, b"second").unwrap();
            assert!(link.is_symlink());
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
            assert_eq!(std::fs::read(&path).unwrap(), b"second");
            assert!(same(&link, &path));
        }
        assert!(!same(&path, &folder.path().join("other")));
        assert!(same(&folder.path().join("new"), &folder.path().join(".").join("new")));
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let reading = path.clone();
        let reader = std::thread::spawn(move || std::fs::read(reading).unwrap());
        check(&path).unwrap();
        write(&path, b"text").unwrap();
        assert_eq!(reader.join().unwrap(), b"text");
        assert!(!path.metadata().unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_written_is_said_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for (path, what) in [
            (Path::new("-").to_path_buf(), "give the name of a file"),
            (folder.path().to_path_buf(), "directory"),
            (folder.path().join("none/file"), "there is no folder"),
            (file.join("below"), "not a directory"),
        ] {
            let error = check(&path).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
