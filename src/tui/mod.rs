//! The loop: keys first, then news, then the clock; one frame when something changed.

mod encoder;
mod guard;
mod handover;
mod job;
mod log;
pub mod screen;
mod scroll;
mod signals;

use std::io::{self, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event as Input, EventStream};
use crossterm::{QueueableCommand, terminal};
use futures::StreamExt;
use jiff::Timestamp;
use ratatui::Terminal;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::app::effect::{Document, HandOver};
use crate::app::{self, Effect, Event, Key, Model, notification};
use crate::config::{Config, Notify};
use crate::domain::{ClusterId, Failure, FailureKind};
use crate::engine::{Engine, clock};
use crate::ui;

use guard::Guard;
use handover::Inputs;
use screen::Screen;
use signals::{News, Signals};

/// Thirty frames a second. What a person does has a beat of its own, so that it need not wait for the news.
const FRAME: Duration = Duration::from_millis(33);
/// After a pause so many frames of news may follow each other closely, because a single event is seen at once then.
const SPARE_FRAMES: u32 = 8;
/// What comes as closely as this is painted together all the same.
const CLOSELY: Duration = Duration::from_millis(8);
const TICK: Duration = Duration::from_secs(1);

/// Opens the screen and stays until it is closed. Installs the panic hook and makes the runtime.
///
/// # Errors
/// There is no terminal, or something of ours broke. A terminal that went away is a quiet end.
pub fn run(config: Config) -> Result<(), Failure> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        let sentence = "this is not a terminal, and the board needs one";
        return Err(Failure::new(FailureKind::Usage, sentence)
            .hint("for scripts there are rolldeck status, history, rollback and doctor"));
    }
    let _ = log::start(&config.state_dir);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| broken(&why))?;
    let outcome = runtime.block_on(open(config));
    // A hung login command or a dead server must not hold the shell's prompt back.
    runtime.shutdown_background();
    outcome
}

async fn open(config: Config) -> Result<(), Failure> {
    let signals = Signals::listen().map_err(|why| broken(&why))?;
    let (width, height) = terminal::size().map_err(|why| broken(&why))?;
    let guard = Guard::take().map_err(|why| broken(&why))?;
    let (model, effects) = Model::new(&config, clock::now(), width, height);
    let copies = config.state_dir.join("copied.txt");
    let mut screen = Terminal::new(Screen::stdout()).map_err(|why| broken(&why))?;
    let _ = screen.clear();
    let (engine, news) = Engine::start(config);
    let mut desk = Desk {
        model,
        screen,
        engine,
        copies,
        over: None,
        order: None,
        awaited: true,
        drawn: Timestamp::UNIX_EPOCH,
    };
    desk.run(effects);
    let outcome = desk.work(signals, news).await;
    drop(guard);
    if !desk.engine.finish().await {
        let sentence = "a write was under way and its end is not known";
        return Err(Failure::new(FailureKind::Failed, sentence)
            .hint("rolldeck history SERVICE shows what became of it"));
    }
    outcome
}

/// Who is to have the terminal.
enum Order {
    Program(Box<HandOver>),
    Login(ClusterId),
}

struct Desk {
    model: Model,
    screen: Terminal<Screen<Stdout>>,
    engine: Engine,
    /// Where a copied text is kept for terminals without a clipboard.
    copies: PathBuf,
    over: Option<Result<(), Failure>>,
    /// The program that is to have the terminal.
    order: Option<Order>,
    /// A person acted since the last frame.
    awaited: bool,
    /// When the last frame was drawn.
    drawn: Timestamp,
}

impl Desk {
    async fn work(
        &mut self,
        mut signals: Signals,
        mut news: Receiver<Event>,
    ) -> Result<(), Failure> {
        let mut keys = EventStream::new();
        let (mut tick, mut frame) = (steady(TICK), steady(FRAME));
        let (mut closely, mut refill, mut spare) = (steady(CLOSELY), steady(FRAME), SPARE_FRAMES);
        loop {
            tokio::select! {
                biased;
                key = keys.next() => match key {
                    Some(Ok(input)) => {
                        self.input(input);
                        self.answer();
                    }
                    // The terminal is gone.
                    Some(Err(_)) | None => self.over = Some(Ok(())),
                },
                signal = signals.next() => self.signal(signal),
                () = guard::panicked() => self.over = Some(Err(panicked())),
                _ = frame.tick(), if self.model.dirty && self.awaited => self.draw(),
                _ = refill.tick(), if spare < SPARE_FRAMES => spare += 1,
                _ = closely.tick(), if self.model.dirty && !self.awaited && spare > 0 => {
                    spare -= 1;
                    self.draw();
                }
                // One at a time, because each may be a page of a listing, and a key goes before the next.
                event = news.recv() => match event {
                    Some(event) => self.fold(event),
                    None => self.over = Some(Err(panicked())),
                },
                _ = tick.tick() => self.fold(Event::Ticked(clock::now())),
            }
            if let Some(order) = self.order.take() {
                drop(keys);
                // This waits until the reader of the former one has let go, and reads nothing before it is asked.
                keys = EventStream::new();
                let inputs = Inputs {
                    signals: &mut signals,
                    news: &mut news,
                    keys: &mut keys,
                };
                match order {
                    Order::Program(order) => self.hand_over(*order, inputs).await,
                    Order::Login(cluster) => self.log_in(cluster, inputs).await,
                }
            }
            if let Some(outcome) = self.over.take() {
                return outcome;
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.awaited = true;
        match input {
            Input::Key(key) => {
                if let Some(key) = Key::from_terminal(key) {
                    self.fold(Event::Key(key));
                }
            }
            Input::Paste(text) => self.fold(Event::Pasted(text)),
            Input::Resize(width, height) => self.fold(Event::Resized { width, height }),
            Input::FocusGained | Input::FocusLost | Input::Mouse(_) => {}
        }
    }

    /// At once when the last frame is old enough: a timer may come late while pages are decoded.
    fn answer(&mut self) {
        let age = clock::now().duration_since(self.drawn);
        if self.model.dirty && Duration::try_from(age).is_ok_and(|age| age >= FRAME) {
            self.draw();
        }
    }

    fn signal(&mut self, news: News) {
        match news {
            News::End | News::Interrupted => self.over = Some(Ok(())),
            News::Suspend => self.suspend(),
            News::Continued => self.resume(),
        }
    }

    fn fold(&mut self, event: Event) {
        let effects = app::update(&mut self.model, event);
        self.run(effects);
    }

    fn run(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Quit => self.over = Some(Ok(())),
                Effect::Suspend => self.suspend(),
                Effect::HandOver(order) => self.order = Some(Order::Program(order)),
                Effect::LogIn { cluster } => self.order = Some(Order::Login(cluster)),
                Effect::Redraw => self.repaint(),
                Effect::Copy { text } => self.copy(&text),
                Effect::Notify { about, how } => self.notify(&about, how),
                Effect::Save { document } => self.save(&document),
                other => self.engine.run(other),
            }
        }
    }

    fn draw(&mut self) {
        app::settle(&mut self.model);
        let furthest = ui::furthest(&self.model);
        app::stop_at(&mut self.model, furthest);
        let drawn = self.screen.draw(|frame| ui::view(&self.model, frame));
        (self.model.dirty, self.awaited) = (false, false);
        self.drawn = clock::now();
        // The connection of the terminal died: there is nobody to tell.
        if drawn.is_err() {
            self.over = Some(Ok(()));
        }
    }

    fn repaint(&mut self) {
        self.screen.backend_mut().forget();
        self.model.dirty = true;
        if self.screen.clear().is_err() {
            self.over = Some(Ok(()));
        }
    }

    /// Stops this process; returns when it goes on.
    fn suspend(&mut self) {
        guard::give_back();
        stop_here();
        self.resume();
    }

    fn resume(&mut self) {
        if guard::enter().is_err() {
            self.over = Some(Ok(()));
            return;
        }
        if let Ok((width, height)) = terminal::size() {
            self.fold(Event::Resized { width, height });
        }
        self.fold(Event::Resumed);
    }

    /// Between two frames, so that it never stands within one.
    fn notify(&mut self, about: &str, how: Notify) {
        let mut out = io::stdout();
        let sequence = notification::sequence(about, &how);
        let _ = out
            .write_all(sequence.as_bytes())
            .and_then(|()| out.flush());
        let about = notification::words(about);
        self.engine.run(Effect::Notify { about, how });
    }

    fn copy(&mut self, text: &str) {
        let file = keep(&self.copies, text).ok();
        to_clipboard(text);
        self.fold(Event::Copied { file });
    }

    fn save(&mut self, document: &Document) {
        let folder = self.copies.with_file_name("changes");
        let path = folder.join(&document.name);
        let kept = std::fs::create_dir_all(&folder).and_then(|()| keep(&path, &document.text));
        to_clipboard(&document.text);
        let outcome = kept.map_err(|why| {
            let path = path.display();
            let sentence = format!("copied, but {path} cannot be written: {why}");
            Failure::new(FailureKind::Config, sentence)
        });
        self.fold(Event::Saved { outcome });
    }
}

fn to_clipboard(text: &str) {
    let command = CopyToClipboard::to_clipboard_from(text);
    let mut out = io::stdout();
    let _ = out.queue(command).and_then(Write::flush);
}

fn stop_here() {
    let me = rustix::process::getpid();
    let _ = rustix::process::kill_process(me, rustix::process::Signal::STOP);
}

/// Also in a file of the user's own, because no terminal says whether its clipboard took it.
fn keep(path: &Path, text: &str) -> io::Result<String> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(path.display().to_string())
}

fn steady(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn broken(why: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Failed,
        format!("the terminal cannot be used: {}", why.kind()),
    )
}

fn panicked() -> Failure {
    Failure::new(
        FailureKind::Internal,
        "rolldeck made a mistake and had to stop",
    )
    .hint("the log in the state folder says where")
}
