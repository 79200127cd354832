//! The reference's end: a device of `amneziawg-go` in virtual time, in a process of `interop/device` that is driven by lines.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::end::{End, Happening, Held, Setup};
use crate::hex;

/// Which build of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// v0.2.16, the code of commit e796d47: what we are held to.
    Reference,
    /// v0.2.19: today's servers, which pad keepalives.
    Later,
}

impl Version {
    /// The program's name in `interop/bin`.
    fn program(self) -> &'static str {
        match self {
            Self::Reference => "reference-device",
            Self::Later => "later-device",
        }
    }

    /// The module file that it is built with, beside `interop/go.mod`; none for that one itself.
    fn module_file(self) -> Option<&'static str> {
        match self {
            Self::Reference => None,
            Self::Later => Some("later.mod"),
        }
    }
}

/// Builds a version of the reference's program, once in a process; none without Go. The Go tool finds out by itself that nothing
/// changed.
fn build(version: Version) -> Option<PathBuf> {
    let interop = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut go = Command::new("go");
    go.current_dir(&interop).args(["test", "-c", "-trimpath"]);
    if let Some(file) = version.module_file() {
        go.arg(format!("-modfile={file}"));
    }
    let program = Path::new("bin").join(version.program());
    let output = match go.arg("-o").arg(&program).arg("./device").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        output => output.expect("Go can be run"),
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(interop.join(program))
}

/// The program of a version for a test: without Go there is none, and one line says so; with `CI=true` it must be there.
///
/// # Panics
/// Where it does not build, and with `CI=true` where Go is missing.
pub fn needed(version: Version) -> Option<PathBuf> {
    static PROGRAMS: [OnceLock<Option<PathBuf>>; 2] = [const { OnceLock::new() }; 2];
    let program = PROGRAMS[version as usize].get_or_init(|| build(version));
    if program.is_none() {
        let missing = "Go is missing, the reference is not compared with: see https://go.dev/dl";
        let must = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!must, "{missing}");
        eprintln!("{missing}");
    }
    program.clone()
}

/// A running device.
pub struct Reference {
    process: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    happened: Vec<Happening>,
}

impl Reference {
    /// Starts the program.
    ///
    /// # Panics
    /// Where it cannot be started: it was just built.
    pub fn start(program: &Path) -> Self {
        let mut process = Command::new(program)
            .args(["-test.run", "TestServe", "-test.timeout", "10m"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program was built");
        let commands = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        Self {
            process,
            commands,
            answers,
            happened: Vec::new(),
        }
    }

    /// Gives a command and notes what happened by it.
    fn command(&mut self, line: &str) -> Result<Vec<String>, String> {
        let commands = self.commands.as_mut().expect("open until dropped");
        let ended = || "the program has ended".to_owned();
        commands
            .write_all(format!("{line}\n").as_bytes())
            .and_then(|()| commands.flush())
            .map_err(|_| ended())?;
        let mut values = Vec::new();
        loop {
            let mut answer = String::new();
            let read = self.answers.read_line(&mut answer);
            if read.is_ok_and(|size| size == 0) {
                return Err(ended());
            }
            let answer = answer.trim_end();
            let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
            match word {
                "done" => return Ok(values),
                "failed" => return Err(rest.to_owned()),
                "value" => values.push(rest.split(' ').nth(1).unwrap_or_default().to_owned()),
                "log" => {}
                _ => self.note(word, rest),
            }
        }
    }

    fn note(&mut self, word: &str, rest: &str) {
        let fields: Vec<_> = rest.split(' ').collect();
        let at = Duration::from_nanos(fields[0].parse().expect("a time"));
        self.happened.push(match (word, &fields[1..]) {
            ("sent", [to, datagram]) => Happening::Sent {
                at,
                to: to.parse().expect("an address"),
                datagram: bytes(datagram),
            },
            ("delivered", [packet]) => Happening::Delivered {
                at,
                packet: bytes(packet),
            },
            ("secret", [secret]) => Happening::Secret(bytes(secret).try_into().expect("32 bytes")),
            _ => panic!("the reference's program said {word} {rest}"),
        });
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        self.commands = None;
        let _ = self.process.wait();
    }
}

/// The UAPI text of a setup, without the parameter that is ours alone.
fn uapi(setup: &Setup) -> String {
    let mut text = format!(
        "private_key={}\nlisten_port=51820\n",
        hex::write(setup.private_key.as_bytes())
    );
    let known = |(name, _): &&(String, String)| name != "KeepalivePadding";
    for (name, value) in setup.parameters.iter().filter(known) {
        let _ = writeln!(text, "{}={value}", name.to_lowercase());
    }
    for peer in &setup.peers {
        let _ = writeln!(
            text,
            "public_key={}",
            hex::write(peer.public_key.as_bytes())
        );
        if let Some(key) = &peer.preshared_key {
            let _ = writeln!(text, "preshared_key={}", hex::write(key.as_bytes()));
        }
        if let Some(endpoint) = peer.endpoint {
            let _ = writeln!(text, "endpoint={endpoint}");
        }
        if let Some(seconds) = peer.persistent_keepalive {
            let _ = writeln!(text, "persistent_keepalive_interval={seconds}");
        }
        for network in &peer.allowed_ips {
            let _ = writeln!(text, "allowed_ip={network}");
        }
    }
    text
}

/// Bytes in a line of the program's: `-` where there are none.
fn argument(data: &[u8]) -> String {
    if data.is_empty() {
        "-".to_owned()
    } else {
        hex::write(data)
    }
}

fn bytes(text: &str) -> Vec<u8> {
    if text == "-" {
        Vec::new()
    } else {
        hex::read(text)
    }
}

fn several(data: &[Vec<u8>]) -> String {
    let texts: Vec<_> = data.iter().map(|each| argument(each)).collect();
    texts.join(" ")
}

impl End for Reference {
    fn open(&mut self, setup: &Setup) -> Result<(), String> {
        self.command(&format!("open {} {}", setup.mtu, setup.seed))?;
        self.command(&format!("set {}", argument(uapi(setup).as_bytes())))?;
        self.command("up")?;
        Ok(())
    }

    fn advance(&mut self, by: Duration) {
        self.must(&format!("advance {}", by.as_nanos()));
    }

    fn receive(&mut self, from: SocketAddr, datagrams: &[Vec<u8>]) {
        self.must(&format!("receive {from} {}", several(datagrams)));
    }

    fn send(&mut self, packets: &[Vec<u8>]) -> Result<(), String> {
        for packets in packets.chunks(128) {
            self.command(&format!("send {}", several(packets)))?;
        }
        Ok(())
    }

    fn set_counter(&mut self, counter: u64) {
        self.must(&format!("counter {counter}"));
    }

    fn held(&mut self) -> Held {
        let names = self.must("keys");
        let has = |name: &str| names.iter().any(|held| held == name);
        Held {
            current: has("current"),
            previous: has("previous"),
            next: has("next"),
        }
    }

    fn take(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happened)
    }
}

impl Reference {
    fn must(&mut self, line: &str) -> Vec<String> {
        self.command(line)
            .unwrap_or_else(|error| panic!("the reference's program: {error}"))
    }
}
