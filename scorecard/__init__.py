"""What an observer of the wire can tell of the tunnel: real traffic of each profile, captured and put to every test.

`python -m scorecard` (as root, on Linux). `world` sets the real server and clients up in network namespaces and
captures what passes between them, `traffic` is what applications do meanwhile, `engines` asks the DPI programs of
others, `detectors` are tests of our own (each a pure function of packets), `catalogue` names all tests, `profiles` what
each promises, `report` writes. Plain WireGuard is the control: a test that does not find it proves nothing and fails
the run.
"""
