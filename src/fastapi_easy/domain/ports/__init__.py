"""What the domain needs from outside: one Protocol per file."""

from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.database import Database, Pool, SchemaMode
from fastapi_easy.domain.ports.event_bus import EventBus, EventHandler
from fastapi_easy.domain.ports.observer import Metrics, Observation, Observer
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork

__all__ = [
    "Clock",
    "Database",
    "EventBus",
    "EventHandler",
    "Metrics",
    "Observation",
    "Observer",
    "Policy",
    "Pool",
    "Repository",
    "SchemaMode",
    "UnitOfWork",
]
