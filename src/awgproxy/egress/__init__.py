"""Names and dialling: how the client finds addresses, and how the server reaches targets."""
