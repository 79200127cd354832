use super::{AWAY, Company, LITTLE, Volume};

/// Notes what was sent on a stream.
fn send(company: &mut Company, volume: &mut Volume, stream: u64, second: u32, count: u64) {
    let volume = volume.add(second, count as usize);
    company.note(stream, second, volume);
}

#[test]
fn who_sends_little_beside_a_bulk_transfer_is_company_until_either_is_away() {
    let mut company = Company::default();
    let mixed = company.mixed();
    let (mut bulk, mut question) = (Volume::default(), Volume::default());
    send(&mut company, &mut bulk, 1, 5, 2 * LITTLE);
    assert!(!mixed.get());
    send(&mut company, &mut question, 2, 5, 100);
    assert!(mixed.get());
    send(&mut company, &mut bulk, 1, 5 + AWAY, 2 * LITTLE);
    assert!(mixed.get());
    company.look(5 + AWAY + 1);
    assert!(!mixed.get(), "nobody asks any more");
    send(&mut company, &mut question, 2, 5 + AWAY + 1, 100);
    assert!(mixed.get());
    send(&mut company, &mut question, 2, 5 + 2 * AWAY + 1, 100);
    assert!(!mixed.get(), "nothing stands in the way any more");
}

#[test]
fn one_flow_is_no_company_to_itself() {
    let mut company = Company::default();
    let mut volume = Volume::default();
    for second in 0..20 {
        for _ in 0..64 {
            send(&mut company, &mut volume, 1, second, LITTLE / 8);
            assert!(!company.mixed().get());
        }
    }
    // Nor when it sends little again, a moment after much.
    let mut other = Volume::default();
    send(&mut company, &mut other, 2, 60, LITTLE + 1);
    send(&mut company, &mut other, 2, 61, 1);
    assert!(!company.mixed().get());
}

#[test]
fn bulk_transfers_that_began_are_no_company_to_each_other() {
    let mut company = Company::default();
    let mut volumes = [Volume::default(); 8];
    for _ in 0..24 {
        for (stream, volume) in (0..).zip(&mut volumes) {
            send(&mut company, volume, stream, 0, LITTLE / 8);
        }
    }
    assert!(!company.mixed().get());
}

#[test]
fn questions_without_a_pause_stay_little() {
    let mut volume = Volume::default();
    for second in 0..600 {
        for _ in 0..3_000 {
            assert!(volume.add(second, 64) <= LITTLE);
        }
    }
}

#[test]
fn a_connection_begins_without_the_company_of_the_last() {
    let mut company = Company::default();
    let mixed = company.mixed();
    send(&mut company, &mut Volume::default(), 1, 500, 2 * LITTLE);
    send(&mut company, &mut Volume::default(), 2, 500, 100);
    assert!(mixed.get());
    company.forget();
    assert!(!mixed.get());
    send(&mut company, &mut Volume::default(), 2, 0, 100);
    assert!(!mixed.get(), "what sends much is of the last connection");
}
