from scorecard.engines import ndpi

TABLE = """\
#flow_id,protocol,src_ip,src_port,dst_ip,dst_port,ndpi_proto
1,17,203.0.113.2,33000,203.0.113.1,20447,WireGuard
2,17,203.0.113.1,20447,203.0.113.2,33001,RTP
3,17,203.0.113.2,33000,203.0.113.1,20447,STUN
4,17,203.0.113.2,60000,203.0.113.1,20447,DNS
"""


def test_labels_are_those_of_the_client_whichever_end_was_seen_first():
    assert ndpi.read(TABLE, [33000, 33001, 33002]) == {33000: {"WireGuard", "STUN"}, 33001: {"RTP"}, 33002: set()}
