//! Signature packets, I1 to I5: datagrams of one's own design that precede an initiation.
//!
//! A specification is a chain of tags; each tag is a file of this folder, as each is one in the reference
//! (`device/obf_*.go`). Here the chain is read (reference: `newObfChain` in `device/obf.go`) and its bytes are made.
//! Not done here: when a signature packet is sent, see [`Preamble`](crate::Preamble). A received one is never read.
//!
//! Where the reference is lax about a specification and a working file may rely on it, so is this, with a
//! [`SignatureRemark`]; text outside of tags and negative sizes, which make the reference lose bytes or panic, are refused.

mod argument;
mod bytes;
mod counter;
mod data;
mod data_size;
mod data_string;
mod error;
mod random;
mod random_digits;
mod random_letters;
mod tag;
mod timestamp;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use rand_core::CryptoRng;

pub use argument::ArgumentError;
pub use error::{SignatureError, SignatureRemark};
pub(crate) use tag::Moment;

use crate::LARGEST_DATAGRAM;
use crate::excerpt::excerpt;
use tag::{TAGS, Tag};

/// The recipe of a signature packet.
///
/// Two are equal where they are spelled alike.
#[derive(Clone)]
pub struct Signature {
    specification: Arc<str>,
    tags: Arc<[Arc<dyn Tag>]>,
    size: usize,
    remarks: Arc<[SignatureRemark]>,
}

impl Signature {
    /// Reads a chain of tags such as `<b 0xc0ff><r 16><t>`; without any tag there is no packet.
    ///
    /// # Errors
    /// Everything that is wrong with the specification; a tag that is not closed stands alone.
    pub fn parse(specification: &str) -> Result<Option<Self>, Vec<SignatureError>> {
        let mut chain = Chain::default();
        let mut rest = specification;
        while let Some((outside, opened)) = rest.split_once('<') {
            let Some((group, after)) = opened.split_once('>') else {
                return Err(vec![SignatureError::NotClosed(excerpt(
                    &rest[outside.len()..],
                ))]);
            };
            chain.text(outside);
            chain.group(group);
            rest = after;
        }
        chain.text(rest);
        chain.finish(specification)
    }

    /// The packet's size in bytes: the same for every packet made by this recipe.
    pub fn size(&self) -> usize {
        self.size
    }

    /// What in the specification is worth a warning.
    pub fn remarks(&self) -> &[SignatureRemark] {
        &self.remarks
    }

    /// Writes the packet; `packet` is [`Signature::size`] bytes long.
    pub(crate) fn write(&self, packet: &mut [u8], moment: Moment, rng: &mut dyn CryptoRng) {
        let mut rest = packet;
        for tag in self.tags.iter() {
            let (part, after) = rest.split_at_mut(tag.size());
            tag.write(part, moment, rng);
            rest = after;
        }
    }
}

impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.specification == other.specification
    }
}

impl Eq for Signature {}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signature({:?})", self.specification)
    }
}

impl fmt::Display for Signature {
    /// The specification, as it was given.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.specification)
    }
}

/// A specification while it is being read.
#[derive(Default)]
struct Chain {
    tags: Vec<Arc<dyn Tag>>,
    remarks: Vec<SignatureRemark>,
    errors: Vec<SignatureError>,
}

impl Chain {
    /// Takes what stands between two tags.
    fn text(&mut self, outside: &str) {
        let text = outside.trim();
        if !text.is_empty() {
            self.errors.push(SignatureError::TextOutside(excerpt(text)));
        }
    }

    /// Takes what stands between two angle brackets.
    fn group(&mut self, group: &str) {
        let mut words = group.split_whitespace();
        let Some(key) = words.next() else {
            self.errors.push(SignatureError::EmptyTag);
            return;
        };
        let Some(kind) = TAGS.iter().find(|kind| kind.key == key) else {
            let nearest = TAGS
                .iter()
                .map(|kind| kind.key)
                .find(|known| known.eq_ignore_ascii_case(key));
            self.errors.push(SignatureError::UnknownTag {
                tag: excerpt(key),
                nearest,
            });
            return;
        };
        let argument = if kind.takes_argument {
            words.next().unwrap_or_default()
        } else {
            ""
        };
        match (kind.build)(argument) {
            Ok(tag) => {
                self.remark(kind.key, tag.as_ref(), &words.collect::<Vec<_>>().join(" "));
                self.tags.push(tag);
            }
            Err(problem) => self.errors.push(SignatureError::Argument {
                tag: kind.key,
                problem,
            }),
        }
    }

    /// Notes what is worth a word about a good tag.
    fn remark(&mut self, key: &'static str, tag: &dyn Tag, ignored: &str) {
        if !ignored.is_empty() {
            let ignored = excerpt(ignored);
            self.remarks
                .push(SignatureRemark::ArgumentIgnored { tag: key, ignored });
        }
        if tag.carries_data() {
            self.remarks.push(SignatureRemark::NoData {
                tag: key,
                size: tag.size(),
            });
        } else if tag.size() == 0 {
            self.remarks.push(SignatureRemark::NoBytes { tag: key });
        }
    }

    /// The recipe, or everything that was wrong with it.
    fn finish(mut self, specification: &str) -> Result<Option<Signature>, Vec<SignatureError>> {
        let size = self
            .tags
            .iter()
            .fold(0, |sum: usize, tag| sum.saturating_add(tag.size()));
        if size > usize::from(LARGEST_DATAGRAM) {
            self.errors.push(SignatureError::TooLong { size });
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        if self.tags.is_empty() {
            return Ok(None);
        }
        if size == 0 {
            self.remarks.push(SignatureRemark::Empty);
        }
        Ok(Some(Signature {
            specification: specification.into(),
            tags: self.tags.into(),
            size,
            remarks: self.remarks.into(),
        }))
    }
}

/// All tags, as an error names them.
fn known_tags() -> String {
    TAGS.iter()
        .map(|kind| format!("<{}>", kind.key))
        .collect::<Vec<_>>()
        .join(" ")
}
