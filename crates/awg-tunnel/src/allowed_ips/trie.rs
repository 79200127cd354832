//! A path-compressed binary trie over bit strings, its nodes in one vector.
//!
//! Every node has an owner or two children, so there are less than twice as many nodes as prefixes.

/// No node.
const NONE: u32 = u32::MAX;

/// Prefixes and their owners.
pub(super) struct Trie<T> {
    nodes: Vec<Node<T>>,
    free: Vec<u32>,
    root: u32,
}

#[derive(Clone, Copy)]
struct Node<T> {
    /// The bits, the first one uppermost, zeros after `length`.
    prefix: u128,
    length: u8,
    owner: Option<T>,
    children: [u32; 2],
}

/// Where the number of a node is kept.
#[derive(Clone, Copy)]
enum Link {
    Root,
    Child(u32, usize),
}

impl<T: Copy + PartialEq> Trie<T> {
    pub(super) const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            root: NONE,
        }
    }

    /// The owner of the longest prefix of `bits`.
    pub(super) fn find(&self, bits: u128) -> Option<T> {
        let mut found = None;
        let mut at = self.root;
        while let Some(node) = self.nodes.get(at as usize) {
            if common(node.prefix, bits) < node.length {
                break;
            }
            found = node.owner.or(found);
            let Some(side) = side(bits, node.length) else {
                break;
            };
            at = node.children[side];
        }
        found
    }

    pub(super) fn insert(&mut self, bits: u128, length: u8, owner: T) {
        let leaf = Node {
            prefix: bits,
            length,
            owner: Some(owner),
            children: [NONE; 2],
        };
        let mut link = Link::Root;
        loop {
            let at = self.follow(link);
            let Some(node) = self.nodes.get_mut(at as usize) else {
                let new = self.allocate(leaf);
                self.point(link, new);
                return;
            };
            let shared = common(node.prefix, bits).min(node.length).min(length);
            if shared == node.length {
                if shared == length {
                    node.owner = Some(owner);
                    return;
                }
                link = Link::Child(at, side(bits, shared).unwrap_or(0));
                continue;
            }
            // The paths part inside this node's prefix: the new one goes above it, or a fork above both.
            let old_side = side(node.prefix, shared).unwrap_or(0);
            let mut children = [NONE; 2];
            children[old_side] = at;
            let above = if shared == length {
                Node { children, ..leaf }
            } else {
                children[1 - old_side] = self.allocate(leaf);
                Node {
                    prefix: truncate(bits, shared),
                    length: shared,
                    owner: None,
                    children,
                }
            };
            let new = self.allocate(above);
            self.point(link, new);
            return;
        }
    }

    pub(super) fn remove(&mut self, bits: u128, length: u8, owner: T) {
        let mut parent = Link::Root;
        let mut link = Link::Root;
        loop {
            let at = self.follow(link);
            let Some(node) = self.nodes.get_mut(at as usize) else {
                return;
            };
            if common(node.prefix, bits) < node.length || node.length > length {
                return;
            }
            if node.length == length {
                if node.owner != Some(owner) {
                    return;
                }
                node.owner = None;
                self.prune(link);
                // A fork that is left with one child is none.
                if let Link::Child(above, _) = link
                    && self.nodes[above as usize].owner.is_none()
                {
                    self.prune(parent);
                }
                return;
            }
            parent = link;
            link = Link::Child(at, side(bits, node.length).unwrap_or(0));
        }
    }

    /// Takes an ownerless node with less than two children out of the path.
    fn prune(&mut self, link: Link) {
        let at = self.follow(link);
        let child = match self.nodes[at as usize].children {
            [NONE, NONE] => NONE,
            [only, NONE] | [NONE, only] => only,
            _ => return,
        };
        self.point(link, child);
        self.free.push(at);
    }

    fn allocate(&mut self, node: Node<T>) -> u32 {
        if let Some(at) = self.free.pop() {
            self.nodes[at as usize] = node;
            return at;
        }
        self.nodes.push(node);
        (self.nodes.len() - 1) as u32
    }

    fn follow(&self, link: Link) -> u32 {
        match link {
            Link::Root => self.root,
            Link::Child(at, side) => self.nodes[at as usize].children[side],
        }
    }

    fn point(&mut self, link: Link, to: u32) {
        match link {
            Link::Root => self.root = to,
            Link::Child(at, side) => self.nodes[at as usize].children[side] = to,
        }
    }

    #[cfg(test)]
    pub(super) fn live_nodes(&self) -> usize {
        self.nodes.len() - self.free.len()
    }
}

/// How many leading bits are the same.
fn common(a: u128, b: u128) -> u8 {
    (a ^ b).leading_zeros() as u8
}

/// The bit after the first `length` ones, if there is one.
fn side(bits: u128, length: u8) -> Option<usize> {
    (length < 128).then(|| (bits >> (127 - length) & 1) as usize)
}

fn truncate(bits: u128, length: u8) -> u128 {
    bits & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}
