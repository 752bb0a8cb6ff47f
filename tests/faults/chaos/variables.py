"""What the environment tells the program of a run."""

STORES = "CHAOS_STORES"
"""The stores, separated by commas."""
PUBLISHED = "CHAOS_PUBLISHED"
"""The file of the broker."""
