"""The command `relay`, and those below `events`."""
