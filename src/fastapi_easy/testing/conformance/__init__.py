"""The conformance suites that an adapter must pass: subclass them, and override `store`."""

from fastapi_easy.testing.conformance.locks.lease_suite import LeaseStoreFactory
from fastapi_easy.testing.conformance.locks.leases import LeaseStoreConformance
from fastapi_easy.testing.conformance.repository import RepositoryConformance
from fastapi_easy.testing.conformance.sample_shapes import LABELS, NOTES, SEATS, SHAPES, TOKENS, Colour
from fastapi_easy.testing.conformance.shop import AUTHORS, BOOKS, LOANS, REVIEWS, TICKETS
from fastapi_easy.testing.conformance.store import Store, resources_of
from fastapi_easy.testing.conformance.technology import store_of
from fastapi_easy.testing.conformance.writes.unit_of_work import UnitOfWorkConformance

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
    "LeaseStoreFactory",
    "RepositoryConformance",
    "Store",
    "UnitOfWorkConformance",
    "resources_of",
    "store_of",
]
