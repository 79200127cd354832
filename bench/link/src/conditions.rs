//! What a direction of a link does to packets, and how it is written.

use std::time::Duration;

/// What one direction does to packets. The default lets everything pass at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Bits a second, of whole IP packets; `None` = no bottleneck, and no queue.
    pub rate: Option<u64>,
    /// Bytes that may wait for the rate; a packet that does not fit is dropped.
    pub queue: usize,
    /// What every packet takes.
    pub delay: Duration,
    /// Up to so much more, drawn anew every [`JITTER_SPELL`](crate::JITTER_SPELL); the order is kept.
    pub jitter: Duration,
    /// The share of packets that is lost on the way.
    pub loss: f64,
    /// The mean length of a row of losses, in packets (Gilbert-Elliott: everything is lost in the bad state, nothing in
    /// the good one); `None` = each for itself.
    pub burst: Option<f64>,
    /// The share of packets that is held back, so that later ones overtake it.
    pub reorder: f64,
    /// They are held back by up to so much.
    pub reorder_by: Duration,
    /// The share of packets that arrives twice.
    pub duplicate: f64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            rate: None,
            queue: 1 << 20,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            burst: None,
            reorder: 0.0,
            reorder_by: Duration::from_millis(5),
            duplicate: 0.0,
        }
    }
}

const DURATION: &str = "a time is wanted, as 25ms, 200us or 1.5s, of at most 10s";
const SHARE: &str = "a share is wanted, as 1% or 0.01, of at most 100%";

/// What is wrong with a condition as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// No condition has this name.
    #[error(
        "there is no condition {0:?}: rate, queue, delay, jitter, loss, burst, reorder, reorder-by, duplicate"
    )]
    Unknown(String),
    /// The value cannot be read.
    #[error("{name} cannot be {value:?}: {wanted}")]
    Value {
        /// The condition.
        name: &'static str,
        /// As it was written.
        value: String,
        /// What would be right.
        wanted: &'static str,
    },
}

impl Conditions {
    /// The names that [`set`](Self::set) knows.
    pub const NAMES: [&'static str; 9] = [
        "rate",
        "queue",
        "delay",
        "jitter",
        "loss",
        "burst",
        "reorder",
        "reorder-by",
        "duplicate",
    ];

    /// Changes one condition: `rate 500M`, `queue 3125000`, `delay 25ms`, `loss 1%`, `burst none`.
    ///
    /// # Errors
    /// The name is unknown or the value cannot be read; nothing is changed then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ConditionError> {
        let Some(name) = Self::NAMES.into_iter().find(|known| *known == name) else {
            return Err(ConditionError::Unknown(name.to_owned()));
        };
        let wrong = |wanted| {
            Err(ConditionError::Value {
                name,
                value: value.to_owned(),
                wanted,
            })
        };
        match name {
            "rate" if value == "none" => self.rate = None,
            "rate" => match amount(value) {
                Some(rate) if (1_000..=1_000_000_000_000).contains(&rate) => self.rate = Some(rate),
                _ => return wrong("bits a second are wanted, as 500M, from 1k to 1000G, or none"),
            },
            "queue" => match amount(value) {
                Some(bytes) if bytes <= 1_000_000_000 => self.queue = bytes as usize,
                _ => return wrong("bytes are wanted, as 3125000 or 1M, of at most 1G"),
            },
            "burst" if value == "none" => self.burst = None,
            "burst" => match value.parse() {
                Ok(packets) if (1.0..=1e6).contains(&packets) => self.burst = Some(packets),
                _ => return wrong("a mean number of packets is wanted, at least 1, or none"),
            },
            "delay" | "jitter" | "reorder-by" => {
                let Some(time) = duration(value) else {
                    return wrong(DURATION);
                };
                match name {
                    "delay" => self.delay = time,
                    "jitter" => self.jitter = time,
                    _ => self.reorder_by = time,
                }
            }
            _ => {
                let Some(share) = share(value) else {
                    return wrong(SHARE);
                };
                match name {
                    "loss" => self.loss = share,
                    "reorder" => self.reorder = share,
                    _ => self.duplicate = share,
                }
            }
        }
        Ok(())
    }
}

fn amount(text: &str) -> Option<u64> {
    let (number, factor) = [("k", 1e3), ("M", 1e6), ("G", 1e9)]
        .into_iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .unwrap_or((text, 1.0));
    let amount = number.parse::<f64>().ok()? * factor;
    (0.0..=1e15)
        .contains(&amount)
        .then(|| Duration::from_secs_f64(amount).as_secs())
}

fn duration(text: &str) -> Option<Duration> {
    let (number, factor) = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0)]
        .into_iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .or_else(|| (text == "0").then_some((text, 1.0)))?;
    let seconds = number.parse::<f64>().ok()? * factor;
    (0.0..=10.0)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}

fn share(text: &str) -> Option<f64> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

#[cfg(test)]
mod tests;
