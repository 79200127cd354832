"""The structural and statistical tests: one a file, each a pure function of packets.

A file says what an observer would look for, and what the test is told that an observer has to guess.
`scorecard.catalogue` numbers them.
"""
