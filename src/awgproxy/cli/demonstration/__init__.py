"""The parts of `awgproxy demo`: a target, a watching relay, a transfer, and the story that joins them."""
