import struct

from scorecard import capture

FILE = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
SERVER = 5000


def record(at, source, destination, payload, protocol=17, ether=0x0800):
    udp = struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, protocol, 0, bytes(4), bytes(4))
    frame = bytes(12) + struct.pack(">H", ether) + ip + udp + bytes(3)  # Ethernet may pad
    seconds, micros = divmod(round(at * 1e6), 1_000_000)
    return struct.pack("<IIII", seconds, micros, len(frame), len(frame)) + frame


def written(folder, *records):
    file = folder / "a.pcap"
    file.write_bytes(FILE + b"".join(records))
    return file


def test_datagrams_are_read_by_the_clients_port(tmp_path):
    file = written(
        tmp_path,
        record(1.5, 33000, SERVER, b"hello"),
        record(2, SERVER, 33000, b"answer"),
        record(3, 33001, SERVER, b""),
        record(4, 33000, 6000, b"elsewhere"),
        record(5, 33000, SERVER, b"tcp", protocol=6),
        record(6, 33000, SERVER, b"six", ether=0x86DD),
        record(7, 33000, SERVER, b"torn")[:-30],
    )
    flows = capture.read(file, {SERVER})
    assert [(packet.at, packet.up, packet.payload) for packet in flows[33000]] == [
        (1.5, True, b"hello"),
        (2.0, False, b"answer"),
    ]
    assert [packet.payload for packet in flows[33001]] == [b""]


def test_a_cut_capture_lacks_the_beginning_of_each_flow(tmp_path):
    file = written(
        tmp_path,
        *(record(number, 33000, SERVER, bytes([number])) for number in range(3)),
        record(3, SERVER, 33000, b"down"),
        record(4, 33001, SERVER, b"one"),
        record(5, 33001, SERVER, b"two"),
    )
    capture.cut(file, tmp_path / "b.pcap", 2)
    flows = capture.read(tmp_path / "b.pcap", {SERVER})
    assert {port: [packet.payload for packet in packets] for port, packets in flows.items()} == {
        33000: [b"\x02", b"down"]
    }
