"""The report of a run: `write_report` makes its page, `comparison` compares runs."""
