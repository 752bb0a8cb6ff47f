"""Tools for tests of an application, and the conformance suites that an adapter must pass."""

from fastapi_easy.testing.audit import RecordingAuditSink
from fastapi_easy.testing.clock import FrozenClock
from fastapi_easy.testing.faults import FailingRepository, SlowRepository
from fastapi_easy.testing.kernel import in_memory, in_memory_kernel
from fastapi_easy.testing.migrations import InMemorySchema, InMemorySchemaStore
from fastapi_easy.testing.recorders import RecordingEventBus
from fastapi_easy.testing.resources import resource_from

__all__ = [
    "FailingRepository",
    "FrozenClock",
    "InMemorySchema",
    "InMemorySchemaStore",
    "RecordingAuditSink",
    "RecordingEventBus",
    "SlowRepository",
    "in_memory",
    "in_memory_kernel",
    "resource_from",
]
