"""Checks of the data: what is odd about a table or images, each with a code; `kindling inspect`."""
