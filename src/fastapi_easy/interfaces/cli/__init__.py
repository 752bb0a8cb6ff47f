"""The command line. Its modules import nothing heavy until a command does its work: `--help` is quick."""
