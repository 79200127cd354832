"""Parts of the resolver: what an answer says, how long it holds, whom to ask, how to ask, and where IPv6 leads."""
