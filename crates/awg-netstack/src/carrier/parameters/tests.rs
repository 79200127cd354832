use super::*;

fn parameter(id: u32, value: u32) -> Vec<u8> {
    let mut encoded = Vec::new();
    VarInt::from(id).encode(&mut encoded);
    let mut number = Vec::new();
    VarInt::from(value).encode(&mut number);
    encoded.push(number.len() as u8);
    encoded.extend(number);
    encoded
}

#[test]
fn what_streams_may_bring_is_made_less_and_all_else_stays() {
    let first = VarInt::from_u32(1_000);
    let said = [
        parameter(0x04, 60 << 20),
        parameter(0x05, 40 << 20),
        vec![0x40, 0x76, 3, 1, 2, 3],
        parameter(0x06, 40 << 20),
        parameter(0x07, 40 << 20),
        vec![0x0c, 0],
    ];
    let wanted = [
        parameter(0x04, 60 << 20),
        parameter(0x05, 1_000),
        vec![0x40, 0x76, 3, 1, 2, 3],
        parameter(0x06, 1_000),
        parameter(0x07, 40 << 20),
        vec![0x0c, 0],
    ];
    assert_eq!(with_first(&said.concat(), first), wanted.concat());
}

#[test]
fn what_is_less_already_stays() {
    let first = VarInt::from_u32(1_000);
    let said = [parameter(0x05, 999), parameter(0x06, 1)].concat();
    assert_eq!(with_first(&said, first), said);
}

#[test]
fn what_is_taken_at_first_is_read() {
    let said = [parameter(0x05, 7), parameter(0x04, 60 << 20)].concat();
    assert_eq!(max_data(&said), 60 << 20);
    assert_eq!(max_data(&parameter(0x05, 7)), 0);
    assert_eq!(max_data(&[0x04, 8, 1]), 0);
}
