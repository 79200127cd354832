"""Programs of others, as they are, through the client."""
