"""The world of a run: generated pairs, their real servers and clients in two namespaces, and the cable in between."""
