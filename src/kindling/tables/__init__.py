"""Any table of a user's: its format, its columns and their types, its target, its preprocessing."""
