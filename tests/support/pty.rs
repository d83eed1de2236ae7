//! The real program in a real terminal of a fixed size: keys in, a screen and every byte out.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use vt100::Screen;

use super::keeper;
use super::wait::{self, DEADLINE};

/// How the program is started. Nothing of the machine's own settings reaches it.
#[derive(Debug, Clone)]
pub struct Launch {
    pub program: PathBuf,
    pub home: PathBuf,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub width: u16,
    pub height: u16,
}

impl Launch {
    /// rolldeck in a home folder of its own.
    pub fn new(home: &Path) -> Self {
        Self::of(Path::new(env!("CARGO_BIN_EXE_rolldeck")), home)
    }

    pub fn of(program: &Path, home: &Path) -> Self {
        let folder = |name: &str| home.join(name).to_string_lossy().into_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        Self {
            program: program.to_owned(),
            home: home.to_owned(),
            arguments: Vec::new(),
            environment: vec![
                ("HOME".into(), home.to_string_lossy().into_owned()),
                ("XDG_CONFIG_HOME".into(), folder(".config")),
                ("XDG_STATE_HOME".into(), folder(".state")),
                ("XDG_CACHE_HOME".into(), folder(".cache")),
                ("XDG_DATA_HOME".into(), folder(".data")),
                ("PATH".into(), path),
                ("TERM".into(), "xterm-256color".into()),
                ("LANG".into(), "C.UTF-8".into()),
                ("USER".into(), "oncall".into()),
            ],
            width: 120,
            height: 40,
        }
    }

    pub fn kubeconfig(self, path: &Path) -> Self {
        self.variable("KUBECONFIG", &path.to_string_lossy())
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub fn size(mut self, width: u16, height: u16) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// The text of `config.yaml`.
    pub fn config(self, text: &str) -> Self {
        let folder = self.home.join(".config/rolldeck");
        std::fs::create_dir_all(&folder).expect("a folder in the home folder");
        keeper::write(&folder.join("config.yaml"), text);
        self
    }

    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&word| word.to_owned()));
        self
    }

    /// In a terminal.
    pub fn open(&self) -> Terminal {
        Terminal::open(self)
    }

    /// Without a terminal: its output as a script sees it.
    pub fn run(&self) -> std::process::Output {
        self.command().output().expect("the program starts")
    }

    /// The same, not started yet.
    pub fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdin(std::process::Stdio::null());
        command
    }
}

pub struct Terminal {
    shared: Arc<Shared>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Mutex<Box<dyn Write + Send>>>,
    child: Box<dyn Child + Send + Sync>,
    started: Instant,
}

struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

struct State {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    /// When each read came, and how many bytes there were then.
    reads: Vec<(Instant, usize)>,
    closed: bool,
    /// The terminal is to go away: nobody reads it any more.
    hung_up: bool,
}

impl Terminal {
    fn open(launch: &Launch) -> Self {
        let pair = native_pty_system()
            .openpty(pty_size(launch.width, launch.height))
            .expect("a pty");
        let mut command = CommandBuilder::new(&launch.program);
        command.args(&launch.arguments);
        command.env_clear();
        for (name, value) in &launch.environment {
            command.env(name, value);
        }
        command.cwd(&launch.home);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                parser: vt100::Parser::new(cells(launch.height), cells(launch.width), 0),
                bytes: Vec::new(),
                reads: Vec::new(),
                closed: false,
                hung_up: false,
            }),
            news: Condvar::new(),
        });
        let reader = pair.master.try_clone_reader().expect("a reader");
        let writer = Some(Mutex::new(pair.master.take_writer().expect("a writer")));
        let for_thread = Arc::clone(&shared);
        std::thread::spawn(move || read_all(reader, &for_thread));
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("it starts");
        drop(pair.slave); // so that its end closes the reader
        Self {
            shared,
            master: Some(pair.master),
            writer,
            child,
            started,
        }
    }

    /// Types. `\r` is enter, `\x1b` escape.
    pub fn keys(&self, keys: &str) {
        let writer = self.writer.as_ref().expect("it is there");
        let mut writer = writer.lock().expect("no panic");
        writer
            .write_all(keys.as_bytes())
            .expect("the pty takes keys");
        writer.flush().expect("the pty takes keys");
    }

    /// Until the screen is as described; when that was, since the start.
    ///
    /// # Panics
    /// After the deadline, or when the program ends first, with the screen.
    pub fn wait_for(&self, what: &str, is: impl Fn(&Screen) -> bool) -> std::time::Duration {
        let begin = Instant::now();
        let mut state = self.state();
        loop {
            if is(state.parser.screen()) {
                let at = state.reads.last().map_or(begin, |(at, _)| *at);
                return at.saturating_duration_since(self.started);
            }
            let left = DEADLINE.saturating_sub(begin.elapsed());
            assert!(
                !left.is_zero() && !state.closed,
                "{} for: {what}\n{}",
                if state.closed {
                    "it ended while one waited"
                } else {
                    "waited in vain"
                },
                picture(state.parser.screen()),
            );
            state = self
                .shared
                .news
                .wait_timeout(state, left)
                .expect("no panic")
                .0;
        }
    }

    pub fn wait_text(&self, text: &str) -> std::time::Duration {
        self.wait_for(&format!("{text:?} on the screen"), |screen| {
            picture(screen).contains(text)
        })
    }

    pub fn wait_gone(&self, text: &str) {
        self.wait_for(&format!("{text:?} gone from the screen"), |screen| {
            !picture(screen).contains(text)
        });
    }

    /// The screen as text, a line a row.
    pub fn picture(&self) -> String {
        picture(self.state().parser.screen())
    }

    pub fn screen(&self) -> Screen {
        self.state().parser.screen().clone()
    }

    /// Everything that ever arrived.
    pub fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    pub fn byte_count(&self) -> usize {
        self.state().bytes.len()
    }

    /// When each read came since the start, and how many bytes had come by then.
    pub fn reads(&self) -> Vec<(std::time::Duration, usize)> {
        let since = |at: &Instant| at.saturating_duration_since(self.started);
        self.state()
            .reads
            .iter()
            .map(|(at, n)| (since(at), *n))
            .collect()
    }

    pub fn since_start(&self) -> std::time::Duration {
        self.started.elapsed()
    }

    pub fn resize(&self, width: u16, height: u16) {
        self.state().parser.set_size(cells(height), cells(width));
        self.master()
            .resize(pty_size(width, height))
            .expect("a new size");
    }

    /// The terminal goes away, as when its window is closed or the line drops; how the program ended.
    pub fn hang_up(mut self) -> ExitStatus {
        self.state().hung_up = true;
        let (height, width) = self.screen().size();
        // Whatever the program paints next lets the reader, which holds the terminal open as well, see that.
        self.resize(width.get() + 1, height.get());
        let begin = Instant::now();
        let mut state = self.shared.state.lock().expect("no panic");
        while !state.closed {
            let left = DEADLINE.saturating_sub(begin.elapsed());
            assert!(!left.is_zero(), "it paints nothing in a new size");
            let waited = self.shared.news.wait_timeout(state, left);
            state = waited.expect("no panic").0;
        }
        drop(state);
        drop((self.writer.take(), self.master.take()));
        wait::until("it ends without its terminal", || {
            self.child.try_wait().expect("its status")
        })
    }

    fn master(&self) -> &dyn MasterPty {
        self.master.as_deref().expect("it is there")
    }

    /// By its name without `SIG`.
    pub fn signal(&self, name: &str) {
        keeper::signal(self.process_id(), name);
    }

    pub fn process_id(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    /// Until it ends, and everything that it wrote was read.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let begin = Instant::now();
        let mut state = self.shared.state.lock().expect("no panic");
        while !state.closed {
            let left = DEADLINE.saturating_sub(begin.elapsed());
            assert!(
                !left.is_zero(),
                "it does not end\n{}",
                picture(state.parser.screen())
            );
            state = self
                .shared
                .news
                .wait_timeout(state, left)
                .expect("no panic")
                .0;
        }
        drop(state);
        self.child.wait().expect("its status")
    }

    /// Whether echo and line mode are on, as they are outside of full-screen programs.
    pub fn cooked(&self) -> bool {
        const NO_CONTROLLING_TERMINAL: i32 = 0o400;
        let Some(descriptor) = self.master().tty_name() else {
            return false;
        };
        let terminal = std::fs::File::options()
            .read(true)
            .custom_flags(NO_CONTROLLING_TERMINAL)
            .open(descriptor)
            .expect("the terminal's file");
        let modes = rustix::termios::tcgetattr(&terminal)
            .expect("its modes")
            .local_modes;
        modes.contains(rustix::termios::LocalModes::ICANON | rustix::termios::LocalModes::ECHO)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no panic")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The rows of a screen, right-trimmed.
pub fn picture(screen: &Screen) -> String {
    let (_, width) = screen.size();
    let rows: Vec<_> = screen
        .rows(0, width.get())
        .map(|row| row.trim_end().to_owned())
        .collect();
    rows.join("\n")
}

fn read_all(mut reader: Box<dyn Read + Send>, shared: &Shared) {
    let mut buffer = vec![0; 65536];
    loop {
        // An error here is the other side closing: Linux answers EIO.
        let count = reader.read(&mut buffer).unwrap_or(0);
        let mut state = shared.state.lock().expect("no panic");
        let over = count == 0 || state.hung_up;
        if over {
            drop(std::mem::replace(&mut reader, Box::new(std::io::empty())));
            state.closed = true;
        } else {
            state.parser.process(&buffer[..count]);
            state.bytes.extend_from_slice(&buffer[..count]);
            let total = state.bytes.len();
            state.reads.push((Instant::now(), total));
        }
        drop(state);
        shared.news.notify_all();
        if over {
            return;
        }
    }
}

fn pty_size(width: u16, height: u16) -> PtySize {
    PtySize {
        rows: height,
        cols: width,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("at least one cell")
}
