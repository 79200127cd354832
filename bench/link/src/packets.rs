//! The memory that packets on a link lie in: places of one size, made once and committed as they are first used.

/// A packet's place, and what its driver needs to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    place: u32,
    len: u16,
    /// The driver's own note.
    pub note: u16,
}

impl Packet {
    /// Its size in bytes.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The memory; see the module.
pub struct Packets {
    memory: Vec<u8>,
    largest: usize,
    free: Vec<u32>,
    /// Places from this one on were never used.
    fresh: u32,
    count: u32,
}

impl Packets {
    /// Room for `count` packets of at most `largest` bytes.
    pub fn new(count: u32, largest: u16) -> Self {
        let largest = usize::from(largest);
        Self {
            memory: vec![0; count as usize * largest],
            largest,
            free: Vec::new(),
            fresh: 0,
            count,
        }
    }

    /// A place for a packet of `len` bytes and the bytes to write; `None` if it is too large or no place is free.
    pub fn take(&mut self, len: usize, note: u16) -> Option<(Packet, &mut [u8])> {
        if len > self.largest {
            return None;
        }
        let place = self.free.pop().or_else(|| {
            let fresh = (self.fresh < self.count).then_some(self.fresh)?;
            self.fresh += 1;
            Some(fresh)
        })?;
        let packet = Packet {
            place,
            len: len as u16,
            note,
        };
        let start = place as usize * self.largest;
        Some((packet, &mut self.memory[start..start + len]))
    }

    /// A packet's bytes.
    pub fn bytes(&self, packet: Packet) -> &[u8] {
        let start = packet.place as usize * self.largest;
        &self.memory[start..start + packet.len()]
    }

    /// The same, to write.
    pub fn bytes_mut(&mut self, packet: Packet) -> &mut [u8] {
        let start = packet.place as usize * self.largest;
        &mut self.memory[start..start + packet.len()]
    }

    /// Its place serves another one from now on.
    pub fn free(&mut self, packet: Packet) {
        debug_assert!(!self.free.contains(&packet.place) || self.free.len() > 64);
        self.free.push(packet.place);
    }

    /// How many are held.
    pub fn held(&self) -> usize {
        self.fresh as usize - self.free.len()
    }
}

impl std::fmt::Debug for Packets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packets")
            .field("held", &self.held())
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
