//! A server process that never outlives the test, however the test ends.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Runs its arguments, tells their process id, and ends exactly that process when its standard input closes:
/// the system closes it even when the test is killed.
const KEEP: &str = r#"log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!; cat >/dev/null; kill -KILL $!; wait $!"#;

pub struct Keeper {
    shell: Child,
    process_id: u32,
    log: PathBuf,
}

impl Keeper {
    /// Starts `program` in a process group of its own, so that a ctrl-c at the test reaches only the test.
    pub fn start(program: &Path, arguments: &[String], log: &Path) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", KEEP, "keeper"])
            .arg(log)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let mut line = String::new();
        BufReader::new(shell.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("the process id");
        let process_id = line.trim().parse().expect("a process id");
        Self {
            shell,
            process_id,
            log: log.to_owned(),
        }
    }

    pub fn process_id(&self) -> u32 {
        self.process_id
    }

    /// `STOP` freezes the process with its connections open, `CONT` lets it go on.
    pub fn signal(&self, name: &str) {
        signal(self.process_id, name);
    }

    /// The end of what it printed.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Removes `folder` once the test's process has ended, whichever way.
pub fn remove_at_the_end(folder: &Path) -> Child {
    const REMOVE: &str =
        r#"cat >/dev/null; for i in 1 2 3 4 5; do rm -rf "$1" && break; sleep 1; done"#;
    Command::new("sh")
        .args(["-c", REMOVE, "remover"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh starts")
}

/// Sends a signal by its name without `SIG`.
pub fn signal(process_id: u32, name: &str) {
    let status = Command::new("sh")
        .args([
            "-c",
            "kill -s \"$1\" \"$2\"",
            "signal",
            name,
            &process_id.to_string(),
        ])
        .status()
        .expect("sh starts");
    assert!(status.success(), "kill -s {name} {process_id}");
}

/// A file that holds `text`, readable by its owner only.
pub fn write(path: &Path, text: &str) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file: File = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .expect("a file in the test's folder");
    file.write_all(text.as_bytes()).expect("room on the disk");
}
