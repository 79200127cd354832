"""What awgproxy costs and carries, measured in one run beside a direct connection and beside its rival.

`python -m bench` (as root, on Linux). `systems` sets each system up, `measures` puts a load on it, `accounting` reads
what its processes used, `report` prints medians, ratios and targets. A number is never printed without those of the
other systems from the same run: machines differ.
"""
