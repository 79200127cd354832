//! The table: one row a behaviour, by theme.

mod cookies;
mod handshake;
mod headers;
mod padding;
mod preamble;
mod received;
pub mod recorded;
mod settings;
mod timers;
mod transport;

use crate::stage::{Implementation, Stage};

/// A row of the table.
pub struct Behaviour {
    /// The test's name, below its theme's.
    pub name: &'static str,
    /// What happens, as a reader of `docs/compatibility.md` asks for it.
    pub question: &'static str,
    /// Why we differ, where we do on purpose.
    pub difference: Option<&'static str>,
    scene: Scene,
}

/// Plays to an end, and says in words what the device did.
enum Scene {
    /// Opens its devices itself.
    Free(fn(&Implementation) -> String),
    /// Begins with a device without any parameter.
    Plain(fn(&mut Stage) -> String),
}

impl Behaviour {
    /// Plays the scene and says what the device did.
    pub fn play(&self, implementation: &Implementation) -> String {
        match self.scene {
            Scene::Free(play) => play(implementation),
            Scene::Plain(play) => play(&mut implementation.plain()),
        }
    }
}

/// A group of rows.
pub struct Theme {
    /// Its name in tests.
    pub name: &'static str,
    /// Its title on the page.
    pub title: &'static str,
    /// Its rows.
    pub rows: &'static [Behaviour],
}

/// The whole table.
pub const TABLE: &[Theme] = &[
    Theme {
        name: "preamble",
        title: "What precedes an initiation",
        rows: preamble::ROWS,
    },
    Theme {
        name: "padding",
        title: "Padding and keepalives",
        rows: padding::ROWS,
    },
    Theme {
        name: "headers",
        title: "Type words",
        rows: headers::ROWS,
    },
    Theme {
        name: "received",
        title: "Datagrams that come",
        rows: received::ROWS,
    },
    Theme {
        name: "handshake",
        title: "Handshakes",
        rows: handshake::ROWS,
    },
    Theme {
        name: "cookies",
        title: "Cookies and load",
        rows: cookies::ROWS,
    },
    Theme {
        name: "transport",
        title: "Transport messages",
        rows: transport::ROWS,
    },
    Theme {
        name: "timers",
        title: "Timers and limits",
        rows: timers::ROWS,
    },
    Theme {
        name: "settings",
        title: "Settings",
        rows: settings::ROWS,
    },
];

/// A row in which both do the same.
const fn same(
    name: &'static str,
    question: &'static str,
    play: fn(&Implementation) -> String,
) -> Behaviour {
    Behaviour {
        name,
        question,
        difference: None,
        scene: Scene::Free(play),
    }
}

/// A row in which both do the same, with a device without any parameter.
const fn plain(
    name: &'static str,
    question: &'static str,
    play: fn(&mut Stage) -> String,
) -> Behaviour {
    Behaviour {
        name,
        question,
        difference: None,
        scene: Scene::Plain(play),
    }
}

/// A row in which we differ, and why.
const fn differs(
    name: &'static str,
    question: &'static str,
    reason: &'static str,
    play: fn(&Implementation) -> String,
) -> Behaviour {
    Behaviour {
        name,
        question,
        difference: Some(reason),
        scene: Scene::Free(play),
    }
}

/// The outcome of a scene in both roles of the device, as one where they are alike.
fn in_both_roles(play: impl Fn(bool) -> String) -> String {
    let (initiator, responder) = (play(true), play(false));
    if initiator == responder {
        initiator
    } else {
        format!("as initiator: {initiator}; as responder: {responder}")
    }
}
