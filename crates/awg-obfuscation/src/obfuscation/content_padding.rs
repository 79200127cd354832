//! How many zeros are added to the content of a transport message before it is sealed. Reference: `calculatePaddingSize` in
//! `device/send.go`; of AmneziaWG 3.1 (`ContentPaddingAddition`, `RandomTrailers`) recordings of v3.1.20260814.

use rand_core::CryptoRng;

use super::Obfuscation;
use super::trailer::{TrailerWindow, below};
use crate::message::MessageType;
use crate::range::NumberRange;
use crate::uniform::uniform;

/// What WireGuard fills content up to a multiple of.
const MULTIPLE: usize = 16;
/// So many sizes, if there are as many, has what is near the MTU: enough that none of them stands out.
const SIZES_AT_MTU: u32 = 32;

impl Obfuscation {
    /// How many zeros follow `content` bytes of content, drawn anew for each message; 0 is the content of a keepalive.
    ///
    /// The content stays within `mtu`. Content that is longer is treated as what is left of it after whole MTUs, as the reference
    /// does.
    #[inline]
    pub fn content_padding<R: CryptoRng + ?Sized>(
        &self,
        content: usize,
        mtu: usize,
        window: TrailerWindow,
        rng: &mut R,
    ) -> usize {
        let parameters = &self.parameters;
        if let Some(range) = parameters.content_padding_addition {
            added(range, room(content, mtu), rng)
        } else if parameters.random_trailers {
            let size = self.transport_size(content);
            below(self.window(window).saturating_sub(size), rng).min(room(content, mtu))
        } else {
            to_multiple(content, mtu)
        }
    }

    /// The most that [`content_padding`](Self::content_padding) can give for so much content.
    #[inline]
    pub fn most_content_padding(&self, content: usize, mtu: usize, window: TrailerWindow) -> usize {
        let parameters = &self.parameters;
        if let Some(range) = parameters.content_padding_addition {
            room(content, mtu).min(range.last() as usize)
        } else if parameters.random_trailers {
            let size = self.transport_size(content);
            room(content, mtu).min(self.window(window).saturating_sub(size))
        } else {
            to_multiple(content, mtu)
        }
    }

    fn transport_size(&self, content: usize) -> usize {
        self.padding(MessageType::Transport) + MessageType::Transport.bare_size() + content
    }
}

/// What is free up to the MTU.
fn room(content: usize, mtu: usize) -> usize {
    mtu.saturating_sub(last_part(content, mtu))
}

fn last_part(content: usize, mtu: usize) -> usize {
    if content > mtu {
        content.checked_rem(mtu).unwrap_or(0)
    } else {
        content
    }
}

fn to_multiple(content: usize, mtu: usize) -> usize {
    let last = last_part(content, mtu);
    last.next_multiple_of(MULTIPLE)
        .min(mtu)
        .saturating_sub(last)
}

/// A draw from `range` where there is room for all of it. Where there is not, the reference fills all the room, so that everything
/// near the MTU has one size; here the size varies there too, for which the low end of the range may be undercut.
#[inline]
fn added<R: CryptoRng + ?Sized>(range: NumberRange, room: usize, rng: &mut R) -> usize {
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    if range.last() <= room {
        return range.draw(rng) as usize;
    }
    let varied = if range.width() == 1 {
        room.min(range.last())
    } else {
        range.first().min(room.saturating_sub(SIZES_AT_MTU))
    };
    uniform(varied, room, rng) as usize
}

impl crate::Parameters {
    /// How many bytes packets should stay below the tunnel's MTU so that the sizes of full ones vary too; 0 where they do not vary
    /// anyway.
    pub fn room_for_padding(&self) -> u16 {
        match self.content_padding_addition {
            Some(range) if range.width() > 1 => range.last().min(SIZES_AT_MTU) as u16,
            _ => 0,
        }
    }
}
