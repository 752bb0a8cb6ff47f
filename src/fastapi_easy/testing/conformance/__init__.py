"""The conformance suites that an adapter must pass: subclass them, and override `store`."""

from fastapi_easy.testing.conformance.api_keys import ApiKeyStoreConformance
from fastapi_easy.testing.conformance.audit_sinks import AuditSinkConformance
from fastapi_easy.testing.conformance.brokers import BrokerConformance, BrokerFactory
from fastapi_easy.testing.conformance.locks.lease_suite import LeaseStoreFactory
from fastapi_easy.testing.conformance.locks.leases import LeaseStoreConformance
from fastapi_easy.testing.conformance.many_to_many import ManyToManyConformance
from fastapi_easy.testing.conformance.messages.inboxes import InboxConformance
from fastapi_easy.testing.conformance.messages.outboxes import OutboxConformance
from fastapi_easy.testing.conformance.migrations.schema_stores import SchemaStoreConformance
from fastapi_easy.testing.conformance.migrations.schema_suite import SchemaStoreFactory
from fastapi_easy.testing.conformance.policy.suite import PolicyConformance
from fastapi_easy.testing.conformance.repository import RepositoryConformance
from fastapi_easy.testing.conformance.result_caches import ResultCacheConformance, ResultCacheFactory
from fastapi_easy.testing.conformance.sample_shapes import LABELS, NOTES, SEATS, SHAPES, TOKENS, Colour
from fastapi_easy.testing.conformance.school import COURSES, SCHOOL, STUDENTS
from fastapi_easy.testing.conformance.shop import AUTHORS, BOOKS, LOANS, REVIEWS, TICKETS
from fastapi_easy.testing.conformance.store import Store, resources_of
from fastapi_easy.testing.conformance.technology import store_of
from fastapi_easy.testing.conformance.webhooks import WebhookStoreConformance
from fastapi_easy.testing.conformance.writes.unit_of_work import UnitOfWorkConformance

__all__ = [
    "AUTHORS",
    "BOOKS",
    "COURSES",
    "LABELS",
    "LOANS",
    "NOTES",
    "REVIEWS",
    "SCHOOL",
    "SEATS",
    "SHAPES",
    "STUDENTS",
    "TICKETS",
    "TOKENS",
    "ApiKeyStoreConformance",
    "AuditSinkConformance",
    "BrokerConformance",
    "BrokerFactory",
    "Colour",
    "InboxConformance",
    "LeaseStoreConformance",
    "LeaseStoreFactory",
    "ManyToManyConformance",
    "OutboxConformance",
    "PolicyConformance",
    "RepositoryConformance",
    "ResultCacheConformance",
    "ResultCacheFactory",
    "SchemaStoreConformance",
    "SchemaStoreFactory",
    "Store",
    "UnitOfWorkConformance",
    "WebhookStoreConformance",
    "resources_of",
    "store_of",
]
