"""What is written: a table for people, the same as JSON, a picture, and the page of docs."""
