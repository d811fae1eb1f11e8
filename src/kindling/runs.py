"""What a person calls a run in; its folder out. Standard library only."""
