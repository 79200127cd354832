use super::*;

fn frame(from: u64, length: u64, packet: u64) -> Frame {
    Frame {
        stream: 0,
        end: from + length,
        length,
        packet,
        is_last: false,
    }
}

/// So many full packets in order from `begin` on; what they cost.
fn fill(pieces: &mut Pieces, begin: u64, count: u64) -> u64 {
    let frames = (0..count).map(|at| frame(begin + 1_200 * at, 1_200, 1_210));
    frames.map(|frame| pieces.add(&frame)).sum()
}

#[test]
fn full_packets_in_order_cost_nothing_and_are_forgotten_once_read() {
    let mut pieces = Pieces::default();
    assert_eq!(fill(&mut pieces, 0, 5_000), 0);
    assert_eq!((pieces.all().pieces, pieces.all().small), (5_000, 0));
    pieces.read_to(1_200 * 5_000);
    assert_eq!(pieces.all(), Load::default());
    assert_eq!(pieces.unread(), 0);
}

#[test]
fn of_what_was_read_in_part_whole_groups_are_forgotten() {
    let mut pieces = Pieces::default();
    fill(&mut pieces, 0, 1_000);
    pieces.read_to(1_200 * 500);
    // One group of 257 was read, and the next one not.
    assert_eq!(pieces.all().pieces, 743);
    assert_eq!(pieces.unread(), 1_200 * 500);
}

#[test]
fn copies_of_full_packets_cost_as_many_as_are_sorted_for_them() {
    let mut pieces = Pieces::default();
    for piece in 0..1_000 {
        pieces.add(&frame(2 * piece, 1, 1_210));
    }
    assert_eq!(pieces.add(&frame(2_000, 1_200, 1_210)), 0);
    let cost = pieces.add(&frame(2_000, 1_200, 1_210));
    assert_eq!(cost, 1_002 * 1_210 / VAIN);
    // And one that brings a little.
    assert!(pieces.add(&frame(2_100, 1_200, 1_210)) >= cost);
    // The count of small ones is of frames.
    assert_eq!(pieces.all().small, 1_000);
}

#[test]
fn what_fills_a_gap_makes_nothing_cheaper() {
    let mut pieces = Pieces::default();
    pieces.add(&frame(16 << 20, 1_200, 1_210));
    // The furthest piece came first: none of these brings the stream further.
    assert!(fill(&mut pieces, 0, 10_000) > 0);
    pieces.read_to(1_200 * 10_000);
    let cost = pieces.add(&frame(16 << 20, 1_200, 1_210));
    assert_eq!(cost, 10_002 * 1_210 / VAIN);
}

#[test]
fn a_lost_packet_in_a_full_window_costs_next_to_nothing() {
    let mut pieces = Pieces::default();
    fill(&mut pieces, 1_200, 30_000);
    assert!(pieces.add(&frame(0, 1_200, 1_210)) <= 1);
}

#[test]
fn small_pieces_want_merging_once_for_each_thousand() {
    let mut pieces = Pieces::default();
    let mut merged = Vec::new();
    for piece in 0..3_000_u64 {
        pieces.add(&frame(2 * piece, 1, 20));
        if pieces.wants_merging() {
            pieces.were_merged();
            merged.push(piece);
        }
    }
    assert_eq!(merged, [1_024, 2_049]);
    pieces.read_to(6_000);
    pieces.add(&frame(6_000, 1, 20));
    assert!(!pieces.wants_merging());
}
