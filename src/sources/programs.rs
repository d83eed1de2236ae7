//! Where a program of the user's is.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// As a shell would find it on this PATH.
pub fn find(program: &Path, path: &OsStr) -> Option<PathBuf> {
    let runs = |file: &PathBuf| {
        let found = std::fs::metadata(file);
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        return Some(program.to_owned()).filter(runs);
    }
    let folders = std::env::split_paths(path);
    folders.map(|folder| folder.join(program)).find(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_as_a_shell_finds_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tool");
        std::fs::write(&file, "").unwrap();
        let path = folder.path().as_os_str();
        let tool = Path::new("tool");
        assert_eq!(find(tool, path), None, "it is no program yet");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(tool, path), Some(file.clone()));
        assert_eq!(find(&file, "".as_ref()), Some(file));
        assert_eq!(find(tool, "".as_ref()), None);
        assert_eq!(find(folder.path(), path), None, "a folder is no program");
    }
}
