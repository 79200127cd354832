"""Programs of other authors, and what starts them: see README.md."""
