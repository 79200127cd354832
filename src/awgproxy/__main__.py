"""``python -m awgproxy``, the same as ``awgproxy``."""

from awgproxy.cli import main

main()
