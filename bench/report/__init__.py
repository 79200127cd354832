"""What was measured, for people: tables, pictures, the page and README's section."""
