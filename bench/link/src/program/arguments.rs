//! The command line, and changes while it runs.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use awg_link::{Conditions, Way};

/// How the program is used.
pub(crate) const HELP: &str = "\
An emulated link, between UDP sockets or between network namespaces.

    awg-link --listen HOST:PORT --to HOST:PORT [--from HOST] [--near NAMESPACE] [--far NAMESPACE] CONDITIONS
        datagrams to the first address go on to the second, from a port of their own for every source, and back
    awg-link --tun DEVICE --near NAMESPACE --far NAMESPACE CONDITIONS
        a TUN device of this name in each namespace: every IP packet between the two (root; addresses are yours to set)

Conditions hold in both directions, with up- (from near to far) or down- before the name in one:
    --rate 500M         bits a second of whole IP packets, or none (the default)
    --queue 3125000     bytes that wait for the rate; more is dropped (default 1048576)
    --delay 25ms        what every packet takes
    --jitter 5ms        up to so much more, drawn anew every 10 ms; the order is kept
    --loss 1%           lost on the way, behind the queue
    --burst 5           losses come in rows of this mean length (Gilbert-Elliott), or none (the default)
    --reorder 10%       held back, so that later ones overtake, by up to
    --reorder-by 5ms    so much
    --duplicate 2%      arrive twice
and
    --seed 7            what is drawn (default 1)
    --grain 200us       the step of time under load

Lines on stdin: `set [up|down] rate=5M loss=2%`; `window`: statistics since the last window; `status`: the same, and
the window goes on. It ends, with a result of the whole, when stdin closes or by SIGTERM.
";

/// What the link is between.
#[derive(Debug, PartialEq)]
pub(crate) enum Between {
    Sockets {
        listen: SocketAddr,
        to: SocketAddr,
        from: Option<IpAddr>,
    },
    Namespaces {
        device: String,
    },
}

#[derive(Debug, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) between: Between,
    pub(crate) near: Option<String>,
    pub(crate) far: Option<String>,
    /// Up and down.
    pub(crate) conditions: [Conditions; 2],
    pub(crate) seed: u64,
    pub(crate) grain: Duration,
}

impl Arguments {
    /// Reads the words behind the program's name; the error is a line for people.
    pub(crate) fn read(words: &[String]) -> Result<Self, String> {
        let (mut listen, mut to, mut from, mut device) = (None, None, None, None);
        let (mut near, mut far) = (None, None);
        let mut conditions = [Conditions::default(); 2];
        let (mut seed, mut grain) = (1, Duration::from_micros(200));
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let name = word
                .strip_prefix("--")
                .ok_or_else(|| format!("{word:?} is no option"))?;
            let value = words
                .next()
                .ok_or_else(|| format!("--{name} wants a value"))?;
            match name {
                "listen" => listen = Some(address(name, value)?),
                "to" => to = Some(address(name, value)?),
                "from" => {
                    let wrong = |_| format!("--from wants an IP address, not {value:?}");
                    from = Some(value.parse().map_err(wrong)?);
                }
                "tun" => device = Some(value.clone()),
                "near" => near = Some(value.clone()),
                "far" => far = Some(value.clone()),
                "seed" => {
                    let wrong = |_| format!("--seed wants a number, not {value:?}");
                    seed = value.parse().map_err(wrong)?;
                }
                "grain" => grain = time(value)?,
                _ => set(&mut conditions, name, value)?,
            }
        }
        let between = match (listen, to, device) {
            (Some(listen), Some(to), None)
                if listen.is_ipv4() == to.is_ipv4() || from.is_none() =>
            {
                Between::Sockets { listen, to, from }
            }
            (None, None, Some(device)) if near != far => Between::Namespaces { device },
            (None, None, Some(_)) => {
                return Err("--tun wants two namespaces: --near and --far".to_owned());
            }
            _ => return Err("either --listen and --to are wanted, or --tun".to_owned()),
        };
        Ok(Self {
            between,
            near,
            far,
            conditions,
            seed,
            grain,
        })
    }
}

/// Reads `[up|down] NAME=VALUE …`.
pub(crate) fn change<'a>(
    mut conditions: [Conditions; 2],
    words: impl Iterator<Item = &'a str>,
) -> Result<[Conditions; 2], String> {
    let mut prefix = String::new();
    for word in words {
        if let Some(way) = Way::BOTH.into_iter().find(|way| way.name() == word) {
            prefix = format!("{}-", way.name());
            continue;
        }
        let (name, value) = word
            .split_once('=')
            .ok_or_else(|| format!("{word:?} is not NAME=VALUE"))?;
        set(&mut conditions, &format!("{prefix}{name}"), value)?;
    }
    Ok(conditions)
}

/// Sets a condition by its name, with or without `up-` or `down-` before it.
fn set(conditions: &mut [Conditions; 2], name: &str, value: &str) -> Result<(), String> {
    let one = Way::BOTH
        .into_iter()
        .find_map(|way| Some((way, name.strip_prefix(way.name())?.strip_prefix('-')?)));
    let ways: &[Way] = one
        .as_ref()
        .map_or(&Way::BOTH, |(way, _)| std::slice::from_ref(way));
    for way in ways {
        conditions[*way as usize]
            .set(one.map_or(name, |(_, name)| name), value)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn address(name: &str, value: &str) -> Result<SocketAddr, String> {
    value.parse().map_err(|_| {
        format!(
            "--{name} wants an address and port, as 127.0.0.1:5000 or [::1]:5000, not {value:?}"
        )
    })
}

/// A time as conditions have it, of at most 10 ms.
fn time(value: &str) -> Result<Duration, String> {
    let mut read = Conditions::default();
    read.set("delay", value)
        .map_err(|error| error.to_string())?;
    (Duration::from_micros(10)..=Duration::from_millis(10))
        .contains(&read.delay)
        .then_some(read.delay)
        .ok_or_else(|| format!("--grain cannot be {value:?}: 10us to 10ms are wanted"))
}

#[cfg(test)]
mod tests;
