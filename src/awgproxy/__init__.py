"""A proxy server and client joined by a genuine AmneziaWG tunnel.

The package stands in floors, each of which may use only those below it: ``errors``; ``config`` and ``policy``;
``proxy``, ``egress`` and ``observe``; ``session``; ``cli``. Packets are moved by the extension ``awgproxy._native``.
"""
