"""A run from its configuration to its folder: build, plan, record, finish, exit codes."""
