//! The terminal handed to another program and taken back. The feeds go on meanwhile; nothing is painted.

use std::io::{self, Write};

use crossterm::event::{Event as Input, EventStream, KeyEventKind};
use futures::StreamExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::time::Interval;

use crate::app::Event;
use crate::app::effect::HandOver;
use crate::app::event::Ended;
use crate::app::update::handover::sentence;
use crate::app::update::login::{line as login_line, title as login_title};
use crate::domain::{ClusterId, Failure, FailureKind};
use crate::engine::clock;
use crate::engine::login::Login;

use super::job::{Job, State};
use super::signals::{News, Signals};
use super::{Desk, TICK, guard, panicked, steady, stop_here};

/// What comes in while another program has the terminal.
pub struct Inputs<'a> {
    pub signals: &'a mut Signals,
    pub news: &'a mut Receiver<Event>,
    pub keys: &'a mut EventStream,
}

/// What the person reads around it.
struct Loan {
    line: String,
    title: String,
    /// A key is awaited also when all went well.
    wait: bool,
}

impl Desk {
    /// Until the program has ended and the screen is to be painted again. `keys` must not have been asked yet: it would
    /// take what is typed for the other program.
    pub async fn hand_over(&mut self, order: HandOver, mut inputs: Inputs<'_>) {
        let loan = Loan {
            line: order.line(),
            title: order.title.clone(),
            wait: order.wait,
        };
        let ended = self
            .lend(loan, || Job::start(&order.arguments), &mut inputs)
            .await;
        let handed = Box::new(order);
        self.fold(Event::HandedBack { handed, ended });
    }

    /// The same for a login command. What it prints is not for the screen.
    pub async fn log_in(&mut self, cluster: ClusterId, mut inputs: Inputs<'_>) {
        let outcome = match self.engine.login(&cluster).await {
            Ok(login) => self.run_login(login, &mut inputs).await,
            Err(why) => Err(why),
        };
        self.fold(Event::LoggedIn { cluster, outcome });
    }

    async fn run_login(
        &mut self,
        mut login: Login,
        inputs: &mut Inputs<'_>,
    ) -> Result<(), Failure> {
        let (name, cluster) = (login.name(), login.cluster());
        let title = login_title(name);
        let loan = Loan {
            line: login_line(name, cluster),
            title: title.clone(),
            wait: false,
        };
        let ended = self
            .lend(loan, || Job::of(login.command()?, ""), inputs)
            .await;
        if ended != Ended::Exit(0) {
            return Err(Failure::new(FailureKind::Denied, sentence(&title, &ended)));
        }
        self.engine.logged_in(login).await
    }

    async fn lend(
        &mut self,
        loan: Loan,
        start: impl FnOnce() -> Result<Job, String>,
        inputs: &mut Inputs<'_>,
    ) -> Ended {
        guard::give_back();
        say(&format!("\r\n$ {}\r\n", loan.line));
        let ended = match signal(SignalKind::child()) {
            Ok(children) => match start() {
                Ok(job) => self.until_ended(job, children, inputs).await,
                Err(why) => Ended::Failed(format!("could not be started: {why}")),
            },
            Err(why) => Ended::Failed(format!("could not be started: {}", why.kind())),
        };
        if self.over.is_none() && (loan.wait || ended != Ended::Exit(0)) {
            say(&format!(
                "\r\n[{}; a key goes back to rolldeck]\r\n",
                sentence(&loan.title, &ended)
            ));
            self.until_key(inputs).await;
        }
        if self.over.is_none() {
            self.resume();
        }
        ended
    }

    async fn until_ended(
        &mut self,
        mut job: Job,
        mut children: Signal,
        inputs: &mut Inputs<'_>,
    ) -> Ended {
        let mut tick = steady(TICK);
        loop {
            match job.state() {
                State::Runs => {}
                // As in a shell: both stop, and both go on.
                State::Stopped => {
                    job.take_back();
                    stop_here();
                    job.go_on();
                }
                State::Ended(ended) => {
                    job.take_back();
                    return ended;
                }
            }
            tokio::select! {
                _ = children.recv() => {}
                signal = inputs.signals.next() => match signal {
                    News::End => self.over = Some(Ok(())),
                    // Typed before the terminal was the program's.
                    News::Interrupted => job.interrupt(),
                    News::Suspend => job.stop(),
                    News::Continued => job.go_on(),
                },
                () = guard::panicked() => self.over = Some(Err(panicked())),
                () = self.meanwhile(inputs.news, &mut tick) => {}
            }
            if self.over.is_some() {
                job.hang_up();
                job.take_back();
                return Ended::Killed("SIGHUP".into());
            }
        }
    }

    /// What a program said last stays until it was read.
    async fn until_key(&mut self, inputs: &mut Inputs<'_>) {
        if guard::raw().is_err() {
            self.over = Some(Ok(()));
        }
        let mut tick = steady(TICK);
        while self.over.is_none() {
            tokio::select! {
                key = inputs.keys.next() => match key {
                    Some(Ok(Input::Key(key))) if key.kind != KeyEventKind::Release => return,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => self.over = Some(Ok(())),
                },
                signal = inputs.signals.next() => match signal {
                    News::End | News::Interrupted => self.over = Some(Ok(())),
                    News::Suspend | News::Continued => {}
                },
                () = guard::panicked() => self.over = Some(Err(panicked())),
                () = self.meanwhile(inputs.news, &mut tick) => {}
            }
        }
    }

    /// One event, so that nothing piles up before the servers.
    async fn meanwhile(&mut self, news: &mut Receiver<Event>, tick: &mut Interval) {
        tokio::select! {
            event = news.recv() => match event {
                Some(event) => self.fold(event),
                None => self.over = Some(Err(panicked())),
            },
            _ = tick.tick() => self.fold(Event::Ticked(clock::now())),
        }
    }
}

fn say(words: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(words.as_bytes()).and_then(|()| out.flush());
}
