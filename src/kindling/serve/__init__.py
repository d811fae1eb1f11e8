"""The server: a page for people, JSON and CSV for programs."""
