"""The suites an adapter has to pass: subclass them, and give each a `store`."""

from fastapi_easy.testing.conformance.lease_access import Leases
from fastapi_easy.testing.conformance.leases import LeaseStoreConformance
from fastapi_easy.testing.conformance.notes import LABELS, NOTES, SEATS, SHAPES, TOKENS, Colour
from fastapi_easy.testing.conformance.repository import RepositoryConformance
from fastapi_easy.testing.conformance.shop import AUTHORS, BOOKS, LOANS, REVIEWS, TICKETS
from fastapi_easy.testing.conformance.store import Store, resources_of
from fastapi_easy.testing.conformance.technology import store_of
from fastapi_easy.testing.conformance.unit_of_work import UnitOfWorkConformance

__all__ = [
    "AUTHORS",
    "BOOKS",
    "LABELS",
    "LOANS",
    "NOTES",
    "REVIEWS",
    "SEATS",
    "SHAPES",
    "TICKETS",
    "TOKENS",
    "Colour",
    "LeaseStoreConformance",
    "Leases",
    "RepositoryConformance",
    "Store",
    "UnitOfWorkConformance",
    "resources_of",
    "store_of",
]
