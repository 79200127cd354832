use super::*;

fn spare(chunks: &Chunks) -> usize {
    chunks.spare.lock().expect("nobody panicked").len()
}

/// So many bytes.
fn written(chunks: &mut Chunks, count: usize) -> Bytes {
    chunks.fill(&mut |free| {
        assert_eq!(free.len(), CHUNK);
        free[..count].fill(7);
        count
    })
}

#[test]
fn memory_comes_back_with_the_last_who_reads_it() {
    let mut chunks = Chunks::default();
    let bytes = written(&mut chunks, CHUNK);
    let address = bytes.as_ptr();
    let part = bytes.slice(9..12);
    drop(bytes);
    assert_eq!((spare(&chunks), &part[..]), (0, &[7; 3][..]));
    drop(part);
    assert_eq!(spare(&chunks), 1);
    assert_eq!(written(&mut chunks, CHUNK).as_ptr(), address);
}

#[test]
fn less_than_half_a_chunk_keeps_none() {
    let mut chunks = Chunks::default();
    let bytes = written(&mut chunks, CHUNK / 2 - 1);
    assert_eq!((bytes.len(), spare(&chunks)), (CHUNK / 2 - 1, 1));
    assert!(bytes.iter().all(|byte| *byte == 7));
    let half = written(&mut chunks, CHUNK / 2);
    assert_eq!((half.len(), spare(&chunks)), (CHUNK / 2, 0));
}

#[test]
fn no_more_are_kept_than_the_bound_says() {
    let mut chunks = Chunks::default();
    let many: Vec<Bytes> = (0..SPARE + 4)
        .map(|_| written(&mut chunks, CHUNK))
        .collect();
    drop(many);
    assert_eq!(spare(&chunks), SPARE);
}

#[test]
fn who_says_too_much_is_not_believed() {
    assert_eq!(Chunks::default().fill(&mut |_| usize::MAX).len(), CHUNK);
}
