"""The other side of the wire: starts, watches and ends the programs that awgproxy is tested and measured against.

Used by `tests/interop` and by `bench`; never by the package. Nothing here knows what a test expects.
"""
