"""A running client or server: starts the engine, supervises it, and ends it."""
