"""The type of documents, and of all else that is written as one: filters, updates, stages, commands."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

Document: TypeAlias = dict[str, Any]
"""Names and whatever BSON has for a value."""

Pipeline: TypeAlias = Sequence[Document]
"""The stages of an aggregation, in their order."""

KEY: Final = "_id"
"""The name under which a document keeps its key."""
