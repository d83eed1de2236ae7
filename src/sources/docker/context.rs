//! The files of a build, as the engine wants them: one tar, without what `.dockerignore` leaves out.

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};

use tar::{Builder, HeaderMode};

use super::error::Error;
use super::ignored::Ignored;

/// More is a wrong folder, not a build.
const MOST_FILES: usize = 200_000;
const MOST_BYTES: u64 = 8 << 30;

/// Into a file without a name, which is gone with its handle. Blocks: the folder may be large.
pub fn pack(folder: &Path, dockerfile: &str) -> Result<File, Error> {
    let wrong = |place: &Path, why: &io::Error| Error::Files {
        place: place.display().to_string(),
        message: format!("cannot be read: {}", why.kind()),
    };
    let ignore = folder.join(".dockerignore");
    let text = match fs::read_to_string(&ignore) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|why| wrong(&ignore, &why))?,
    };
    let file = tempfile::tempfile().map_err(|why| wrong(&std::env::temp_dir(), &why))?;
    let mut packing = Packing {
        folder,
        // The engine needs both, whatever the file says.
        always: [dockerfile, ".dockerignore"],
        ignored: Ignored::read(&text),
        tar: Builder::new(file),
        files: 0,
        bytes: 0,
    };
    packing.tar.follow_symlinks(false);
    packing.tar.mode(HeaderMode::Complete);
    if let Err((place, why)) = packing.folder(folder) {
        return Err(wrong(&place, &why));
    }
    if packing.files > MOST_FILES || packing.bytes > MOST_BYTES {
        return Err(Error::Files {
            place: folder.display().to_string(),
            message: format!(
                "more than {MOST_FILES} files or {} GiB would go to the engine: name in .dockerignore what it does not need",
                MOST_BYTES >> 30
            ),
        });
    }
    let finished = packing.tar.into_inner();
    let rewound = finished.and_then(|mut file| file.rewind().map(|()| file));
    rewound.map_err(|why| wrong(folder, &why))
}

struct Packing<'a> {
    folder: &'a Path,
    always: [&'a str; 2],
    ignored: Ignored,
    tar: Builder<File>,
    files: usize,
    bytes: u64,
}

impl Packing<'_> {
    fn folder(&mut self, folder: &Path) -> Result<(), (PathBuf, io::Error)> {
        let at = |place: &Path| {
            let place = place.to_owned();
            move |why| (place, why)
        };
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = entries.map_err(at(folder))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let place = entry.path();
            let kind = entry.file_type().map_err(at(&place))?;
            let name = place.strip_prefix(self.folder).unwrap_or(&place);
            let words = name.to_string_lossy().into_owned();
            let left_out = self.ignored.holds(&words) && !self.always.contains(&&*words);
            if kind.is_dir() {
                let above = |always: &&str| always.starts_with(&format!("{words}/"));
                let skipped = left_out && self.ignored.is_final();
                if !skipped || self.always.iter().any(above) {
                    if !left_out {
                        self.tar.append_dir(name, &place).map_err(at(&place))?;
                    }
                    self.folder(&place)?;
                }
            } else if !left_out && (kind.is_file() || kind.is_symlink()) {
                self.files += 1;
                self.bytes += entry.metadata().map_err(at(&place))?.len();
                if self.files > MOST_FILES || self.bytes > MOST_BYTES {
                    return Ok(());
                }
                self.tar
                    .append_path_with_name(&place, name)
                    .map_err(at(&place))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_goes_to_the_engine() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let place = folder.path().join(name);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, name).unwrap();
        };
        for name in ["a", "b.log", "sub/c", "out/Dockerfile", "out/junk"] {
            write(name);
        }
        fs::write(
            folder.path().join(".dockerignore"),
            "*.log\nout\n.dockerignore\n",
        )
        .unwrap();
        std::os::unix::fs::symlink("a", folder.path().join("link")).unwrap();
        let tar = pack(folder.path(), "out/Dockerfile").unwrap();
        let mut tar = tar::Archive::new(tar);
        let names: BTreeSet<_> = tar
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        let want = [
            ".dockerignore",
            "a",
            "link",
            "out/Dockerfile",
            "sub",
            "sub/c",
        ];
        let names: Vec<_> = names
            .iter()
            .map(|name| name.trim_end_matches('/'))
            .collect();
        assert_eq!(names, want);
        let nowhere = pack(&folder.path().join("none"), "Dockerfile").unwrap_err();
        assert!(
            nowhere
                .to_string()
                .ends_with("none: cannot be read: entity not found"),
            "{nowhere}"
        );
    }
}
