"""One command of `migrate` to a file."""
