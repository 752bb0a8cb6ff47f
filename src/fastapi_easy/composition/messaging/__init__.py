"""What an application consumes, wired."""
