"""The DPI programs of others: each takes a capture and names the flows that it calls a VPN, by the client's port."""
