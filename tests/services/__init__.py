"""Real servers for the tests: found, or started and gone again with the process that asked.

`obtain("postgres")` gives a running `Service`, `scratch_database(service)` a database of one's own on it.
"""

from tests.services.obtain import RECIPES, obtain, obtained, release
from tests.services.scratch import drop_scratch_database, scratch_database
from tests.services.service import Service, Unavailable

__all__ = [
    "RECIPES",
    "Service",
    "Unavailable",
    "drop_scratch_database",
    "obtain",
    "obtained",
    "release",
    "scratch_database",
]
