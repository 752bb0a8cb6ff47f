"""Generations: marks of what was committed, by which a reader knows whether something has changed."""

import random
from typing import Final

GENERATIONS: Final = "fe_generations"
"""The table, or collection, of the system's own that holds them, in each database."""


def new_generation() -> str:
    """Return a mark that was never given before: also what a restored backup holds is not mistaken for what follows."""
    # Of the process's own generator, like the ids of events: it is no secret.
    return f"{random.getrandbits(128):032x}"
