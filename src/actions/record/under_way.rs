//! Which actions a living process carries out now: each holds a lock, which ends with the process however it ends.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::lock;

/// Beside the record.
const FOLDER: &str = "under-way";

/// Dropping it says that the action is over.
#[derive(Debug)]
pub struct UnderWay {
    path: PathBuf,
    /// Closing it unlocks.
    _file: File,
}

impl UnderWay {
    pub fn begin(state: &Path, id: &str) -> io::Result<Self> {
        let folder = state.join(FOLDER);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let path = folder.join(id);
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)?;
            lock(|| file.try_lock())?;
            // One that looked in between may have taken it for a remnant.
            if file.metadata()?.nlink() > 0 {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // What stays is unlocked, and goes with the next look.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The ids of those that live. What a crash left is removed.
pub fn all(state: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(state.join(FOLDER)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut alive = Vec::new();
    for entry in entries {
        let entry = entry?;
        let file = match File::open(entry.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => std::fs::remove_file(entry.path()).or_else(gone_already)?,
            Err(std::fs::TryLockError::WouldBlock) => {
                alive.push(entry.file_name().to_string_lossy().into_owned());
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    alive.sort();
    Ok(alive)
}

fn gone_already(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lives_is_told_and_what_a_crash_left_is_removed() {
        let state = tempfile::tempdir().unwrap();
        assert!(all(state.path()).unwrap().is_empty());
        let here = UnderWay::begin(state.path(), "a1").unwrap();
        let remnant = state.path().join(FOLDER).join("b2");
        std::fs::write(&remnant, "").unwrap();
        assert_eq!(all(state.path()).unwrap(), ["a1"]);
        assert!(!remnant.exists());
        drop(here);
        assert!(all(state.path()).unwrap().is_empty());
    }

    #[test]
    fn a_look_in_between_hides_nothing() {
        let state = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| (0..500).for_each(|_| drop(all(state.path()).unwrap())));
            for n in 0..200 {
                let _here = UnderWay::begin(state.path(), &format!("a{n}")).unwrap();
                assert_eq!(all(state.path()).unwrap(), [format!("a{n}")]);
            }
            looking.join().unwrap();
        });
    }
}
