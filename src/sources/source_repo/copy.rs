//! The copies of repositories in the user's cache folder. One git at a time works in one of them.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::Remote;

/// How long until it is looked again whether a copy is free.
const GLANCE: Duration = Duration::from_millis(50);
/// Folders below `refs` are not followed deeper.
const DEEPEST: u32 = 16;

/// A copy that nobody else works in while this lives, here or in another rolldeck.
pub struct LocalCopy {
    /// A bare repository, once it is there.
    pub folder: PathBuf,
    lock: File,
}

impl LocalCopy {
    /// Waits until it is free.
    ///
    /// # Errors
    /// The cache folder cannot be written.
    pub async fn take(cache: &Path, remote: &Remote) -> io::Result<Self> {
        let root = cache.join("repositories");
        fs::create_dir_all(&root)?;
        let name = name(remote);
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(root.join(format!("{name}.lock")))?;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => tokio::time::sleep(GLANCE).await,
                Err(TryLockError::Error(why)) => return Err(why),
            }
        }
        let folder = root.join(format!("{name}.git"));
        Ok(Self { folder, lock })
    }

    pub fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    /// For every git that works in it: it holds the lock as long as the last process that has it open, so a git that
    /// outlives rolldeck still keeps others away.
    ///
    /// # Errors
    /// There are too many open files.
    pub fn held(&self) -> io::Result<File> {
        self.lock.try_clone()
    }

    /// Where a copy is made, before it is whole.
    ///
    /// # Errors
    /// What was left there cannot be removed.
    pub fn part(&self) -> io::Result<PathBuf> {
        let part = self.folder.with_extension("part");
        match fs::remove_dir_all(&part) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
            Ok(()) | Err(_) => Ok(part),
        }
    }

    /// # Errors
    /// It cannot be renamed.
    pub fn whole(&self, part: &Path) -> io::Result<()> {
        fs::rename(part, &self.folder)
    }

    /// Locks that a git left behind when it was killed: nobody is at work here but us.
    pub fn unlock(&self) {
        remove_locks(&self.folder, 0);
        remove_locks(&self.folder.join("refs"), DEEPEST);
    }
}

/// Readable, and another for another address.
fn name(remote: &Remote) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, remote.url.as_bytes());
    let mut digits = String::new();
    for byte in &hash.as_ref()[..8] {
        let _ = write!(digits, "{byte:02x}");
    }
    let last = remote.path.rsplit('/').next().unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let last: String = last.chars().filter(plain).take(40).collect();
    format!("{last}-{digits}")
}

fn remove_locks(folder: &Path, deeper: u32) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        if path.extension().is_some_and(|ending| ending == "lock") {
            // Whether it went shows with the next git.
            let _ = fs::remove_file(path);
        } else if deeper > 0 && kind.is_ok_and(|kind| kind.is_dir()) {
            remove_locks(&path, deeper - 1);
        }
    }
}
