"""The command `kindling`: one file for each command."""
