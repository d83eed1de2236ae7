//! The programs that are measured: what they are started with, and how their screens are read.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use vt100::Screen;

use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::{Launch, Terminal, picture};
use crate::support::wait;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rolldeck,
    Sofka,
}

#[derive(Debug, Clone)]
pub struct Program {
    pub kind: Kind,
    pub path: PathBuf,
}

impl Program {
    pub fn rolldeck() -> Self {
        Self {
            kind: Kind::Rolldeck,
            path: PathBuf::from(env!("CARGO_BIN_EXE_rolldeck")),
        }
    }

    pub fn sofka(path: &Path) -> Self {
        Self {
            kind: Kind::Sofka,
            path: path.to_owned(),
        }
    }

    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Rolldeck => "rolldeck",
            Kind::Sofka => "sofka",
        }
    }

    /// 200x50, every namespace, Deployments, in an empty home folder.
    pub fn launch(&self, kubeconfig: &Path, home: &Path) -> Terminal {
        let launch = Launch::of(&self.path, home)
            .kubeconfig(kubeconfig)
            .size(200, 50)
            .argument("-A");
        match self.kind {
            Kind::Rolldeck => launch.open(),
            Kind::Sofka => launch.argument("deployments").open(),
        }
    }

    /// Whether the screen says that the whole fleet is on it.
    pub fn whole(&self, screen: &Screen, deployments: usize) -> bool {
        let text = picture(screen);
        match self.kind {
            Kind::Rolldeck => {
                let first = text.lines().next().unwrap_or_default();
                first.contains("live")
                    && first.contains(&format!("{} services", thousands(deployments)))
            }
            Kind::Sofka => text.contains(&format!("[{deployments}]")),
        }
    }

    /// Of rolldeck: from its start to the new image accepted by the API server, with scripted keys. `service` is
    /// stuck in the middle of a rollout.
    pub fn roll_back(plane: &ControlPlane, terminal: &Terminal, service: &Service) -> Duration {
        let bad = service.live_image(plane);
        terminal.wait_text(&service.name);
        terminal.wait_for("the stuck service in the first row", |screen| {
            let text = picture(screen);
            let row = text.lines().nth(2).unwrap_or_default();
            row.contains(&service.name) && row.contains("stalled")
        });
        terminal.keys("R");
        terminal.wait_for("every must-check has answered", |screen| {
            let text = picture(screen);
            ["you may patch", "unchanged since", "accepts the patch"]
                .iter()
                .all(|answer| text.contains(answer))
        });
        terminal.keys("y");
        wait::until("the old image is back", || {
            (service.live_image(plane) != bad).then_some(())
        });
        terminal.since_start()
    }
}

/// Until a key's answer is on the screen.
pub fn key_to_paint(terminal: &Terminal, key: &str) -> Duration {
    let before = terminal.screen();
    let before = (picture(&before), before.state_formatted());
    let pressed = Instant::now();
    terminal.keys(key);
    terminal.wait_for("the answer to a key", |screen| {
        screen.state_formatted() != before.1 || picture(screen) != before.0
    });
    pressed.elapsed()
}

/// Until a row that shows `name` also shows `text`.
pub fn wait_row(terminal: &Terminal, name: &str, text: &str) {
    terminal.wait_for(&format!("{text:?} in the row of {name}"), |screen| {
        picture(screen)
            .lines()
            .any(|row| row.contains(name) && row.contains(text))
    });
}

/// `1,200`.
fn thousands(count: usize) -> String {
    if count < 1000 {
        return count.to_string();
    }
    format!("{},{:03}", count / 1000, count % 1000)
}
