"""How long a proxy is away after its server, its network or its address was: `make bench-recovery`."""
