"""What applications speak to the client: the SOCKS5 protocol as states, and the listener that drives it."""
