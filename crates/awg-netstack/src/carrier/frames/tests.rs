use super::*;

/// A packet with a short header whose ID and number are zeros.
fn packet(number: usize, frames: &[u8]) -> Vec<u8> {
    let first = 0x40 | (number - 1) as u8;
    [&[first][..], &[0; ID], &vec![0; number], frames, &[0; 2]].concat()
}

fn found(datagram: &[u8]) -> Result<Vec<Frame>, Foreign> {
    let mut frames = Vec::new();
    find(datagram, &mut frames, &mut Vec::new(), &mut None).map(|()| frames)
}

#[test]
fn a_reset_is_made_an_end_at_the_same_final_size() {
    let cases: [(&[u8], &[u8]); 3] = [
        (&[4, 8, 16, 9], &[0x0f, 8, 9, 0]),
        // All of them longer than they need to be.
        (
            &[0x40, 4, 0x40, 8, 0x80, 1, 2, 3, 0x52, 0x34],
            &[0x40, 0x0f, 0x40, 8, 0x52, 0x34, 0x80, 0, 0, 0],
        ),
        (
            &[4, 8, 0x41, 7, 0xc0, 1, 2, 3, 4, 5, 6, 7],
            &[0x0f, 8, 0xc0, 1, 2, 3, 4, 5, 6, 7, 0x40, 0],
        ),
    ];
    for (reset, finished) in cases {
        let around = |frame: &[u8]| packet(2, &[&[1, 0x10, 9], frame, &[0x12, 9]].concat());
        let mut datagram = around(reset);
        let mut resets = Vec::new();
        assert_eq!(
            find(&datagram, &mut Vec::new(), &mut resets, &mut None),
            Ok(())
        );
        let [found] = resets[..] else {
            panic!("{resets:?}");
        };
        assert_eq!(found.stream, 8);
        found.finish(&mut datagram);
        assert_eq!(datagram, around(finished));
        let frame = super::find(&datagram, &mut Vec::new(), &mut resets, &mut None);
        assert_eq!((frame, resets.len()), (Ok(()), 0));
    }
}

#[test]
fn stream_frames_are_found_behind_all_others() {
    let before: &[&[u8]] = &[
        &[],
        &[0, 0, 1, 0x1e, 0x1f],
        &[2, 9, 0, 2, 1, 1, 1, 1, 1],
        &[3, 9, 0, 0, 1, 1, 1, 1],
        &[4, 4, 0, 9],
        &[5, 4, 0],
        &[7, 2, 1, 1],
        &[0x10, 0x80, 1, 0, 0],
        &[0x11, 4, 9],
        &[0x12, 9, 0x13, 9, 0x14, 9, 0x16, 9, 0x17, 9, 0x19, 9],
        &[0x15, 4, 9],
        &[
            0x18, 1, 0, 2, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ],
        &[0x1a, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0x31, 3, 1, 2, 3],
        &[0x40, 0xaf, 1, 1, 1, 1],
        &[8, 4],
    ];
    for before in before {
        if before == &[8, 4] {
            // One without a length is the last.
            let last = Frame {
                stream: 4,
                end: 0,
                length: 0,
                packet: 2,
                is_last: false,
            };
            assert_eq!(found(&packet(1, before)), Ok(vec![last]));
            continue;
        }
        for number in 1..=4 {
            // FIN, offset 0x1234, two bytes; and one to the end.
            let frames = [
                before,
                &[0x0f, 4, 0x52, 0x34, 2, 1, 1][..],
                &[0x40, 0x08, 8, 1, 1, 1],
            ]
            .concat();
            let length = frames.len() as u64;
            let expected = [(4, 0x1236, 2), (8, 3, 3)].map(|(stream, end, bytes)| Frame {
                stream,
                end,
                length: bytes,
                packet: length,
                is_last: stream == 4,
            });
            assert_eq!(
                found(&packet(number, &frames)),
                Ok(expected.to_vec()),
                "{before:?}"
            );
        }
    }
}

#[test]
fn packets_with_long_headers_are_passed_over() {
    let version = VERSION.to_be_bytes();
    let initial = [&[0xc0][..], &version, &[1, 9, 2, 8, 8, 1, 5, 3, 7, 7, 7]].concat();
    let handshake = [&[0xe0][..], &version, &[1, 9, 0, 2, 7, 7]].concat();
    let short = packet(2, &[8, 4, 1]);
    let frame = Frame {
        stream: 4,
        end: 1,
        length: 1,
        packet: 3,
        is_last: false,
    };
    for before in [
        vec![],
        initial.clone(),
        handshake.clone(),
        [initial, handshake].concat(),
    ] {
        let datagram = [before, short.clone()].concat();
        assert_eq!(found(&datagram), Ok(vec![frame]));
    }
    let other = [&[0xe0, 0, 0, 0, 1, 1, 9, 0, 2, 7, 7][..], &short].concat();
    assert_eq!(found(&other), Ok(vec![]));
}

#[test]
fn what_is_cut_off_or_strange_is_told() {
    let whole = [
        &[0x0e, 4, 0x52, 0x34, 2, 1, 1][..],
        &[2, 9, 0, 2],
        &[0x31, 9, 1],
        &[6, 0, 1, 1],
        &[0x3e, 0],
        &[0x80, 0, 0, 8, 4],
        &[2, 9, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
    ];
    for (frames, cut) in whole.iter().zip([1, 0, 0, 0, 0, 4, 0]) {
        let frames = &frames[..frames.len() - cut];
        assert_eq!(found(&packet(1, frames)), Err(Foreign), "{frames:?}");
    }
    for length in 0..8 {
        assert_eq!(found(&vec![0x43; length]), Ok(vec![]));
    }
}

#[test]
fn how_much_the_other_end_takes_is_found() {
    let payload = [&[1, 0x10, 0x80, 1, 0, 0][..], &[0x10, 9, 8, 4, 1]].concat();
    let mut granted = None;
    let found = find(
        &packet(2, &payload),
        &mut Vec::new(),
        &mut Vec::new(),
        &mut granted,
    );
    assert_eq!((found, granted), (Ok(()), Some(65_536)));
}
