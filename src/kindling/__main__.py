"""`python -m kindling ...` is `kindling ...`, for a shell that does not find the command."""

from kindling.cli.command_line import main

if __name__ == "__main__":
    main()
