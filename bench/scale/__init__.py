"""What a server takes at once, and what each peer and connection costs: `make bench-scale`."""
