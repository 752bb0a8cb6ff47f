"""The suites an adapter has to pass: subclass them, and give each a `store`."""

from fastapi_easy.testing.conformance.notes import LABELS, NOTES, SEATS, SHAPES, TOKENS, Colour
from fastapi_easy.testing.conformance.repository import RepositoryConformance
from fastapi_easy.testing.conformance.store import Store
from fastapi_easy.testing.conformance.unit_of_work import UnitOfWorkConformance

__all__ = [
    "LABELS",
    "NOTES",
    "SEATS",
    "SHAPES",
    "TOKENS",
    "Colour",
    "RepositoryConformance",
    "Store",
    "UnitOfWorkConformance",
]
