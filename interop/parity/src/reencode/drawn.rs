//! What the reference drew for its signature and junk packets, read from them, and given to our code in place of a generator.

use std::collections::VecDeque;
use std::convert::Infallible;

use rand::{TryCryptoRng, TryRng};

/// The draws, in order; drawing anything else fails.
pub(super) struct Drawn {
    /// Numbers, each as `awg-obfuscation` takes it from 32 bits.
    numbers: VecDeque<u32>,
    /// Random content.
    contents: VecDeque<Vec<u8>>,
}

impl Drawn {
    /// A number below `width` was drawn.
    fn number(&mut self, number: u32, width: u32) {
        assert!(number < width, "{number} of {width}");
        // The middle of those that become this number: the upper half of 64 bits, multiplied by the width.
        let middle = ((u64::from(number) << 32) + (1 << 31)) / u64::from(width);
        self.numbers.push_back(middle as u32);
    }

    /// The fields of a signature packet, by the tags of its specification.
    fn signature(&mut self, specification: &str, datagram: &[u8]) {
        let mut rest = datagram;
        for tag in specification.split_terminator('>') {
            let tag = tag.strip_prefix('<').expect("a tag");
            let (key, argument) = tag.split_once(' ').unwrap_or((tag, ""));
            let size = match key {
                "t" => 4,
                "b" => argument.trim_start_matches("0x").len() / 2,
                _ => argument.parse().expect("a size"),
            };
            let (field, after) = rest.split_at(size);
            rest = after;
            match key {
                "r" => self.contents.push_back(field.to_vec()),
                "rd" => field
                    .iter()
                    .for_each(|digit| self.number((digit - b'0').into(), 10)),
                "rc" => field.iter().for_each(|letter| match letter {
                    b'a'..=b'z' => self.number((letter - b'a').into(), 52),
                    _ => self.number((letter - b'A' + 26).into(), 52),
                }),
                // What is fixed, and the time, our code makes of the settings and the clock.
                _ => assert!(matches!(key, "b" | "t"), "<{key}>"),
            }
        }
        assert!(rest.is_empty(), "more than its tags");
    }
}

/// Reads datagrams that precede an initiation: a signature packet for each of I1 to I5 that is set, the others junk.
pub(super) fn read(parameters: &[(String, String)], datagrams: &[&[u8]]) -> Drawn {
    let set = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let mut drawn = Drawn {
        numbers: VecDeque::new(),
        contents: VecDeque::new(),
    };
    let specifications: Vec<_> = (1..=5).filter_map(|at| set(&format!("I{at}"))).collect();
    let (signatures, junk) = datagrams.split_at(specifications.len());
    for (specification, datagram) in specifications.into_iter().zip(signatures) {
        drawn.signature(specification, datagram);
    }
    let size = |name| set(name).map_or(0, |text| text.parse::<u32>().expect("a size"));
    for datagram in junk {
        let above = datagram.len() as u32 - size("Jmin");
        drawn.number(above, size("Jmax") - size("Jmin") + 1);
        drawn.contents.push_back(datagram.to_vec());
    }
    drawn
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.numbers.pop_front().expect("a number was drawn"))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("nothing draws 64 bits")
    }

    fn try_fill_bytes(&mut self, content: &mut [u8]) -> Result<(), Infallible> {
        content.copy_from_slice(&self.contents.pop_front().expect("content was drawn"));
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}
