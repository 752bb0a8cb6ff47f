"""Every rule that this system has of its own."""

from typing import Final

from fastapi_easy.domain.migrations.risk import Rule
from fastapi_easy.domain.migrations.rules.building_locks import BUILDING_LOCKS
from fastapi_easy.domain.migrations.rules.compatibility import COMPATIBILITY
from fastapi_easy.domain.migrations.rules.destructive import DESTRUCTIVE
from fastapi_easy.domain.migrations.rules.existing_data import EXISTING_DATA
from fastapi_easy.domain.migrations.rules.integrity import INTEGRITY
from fastapi_easy.domain.migrations.rules.operation import OPERATION
from fastapi_easy.domain.migrations.rules.rewriting_locks import REWRITING_LOCKS
from fastapi_easy.domain.migrations.rules.sessions import SESSIONS
from fastapi_easy.domain.migrations.rules.style import STYLE
from fastapi_easy.domain.migrations.rules.type_loss import TYPE_LOSS

_FAMILIES: Final = ("DS", "BC", "DD", "LK", "IN", "OP", "ST")
"""The order of the families: what is lost first."""

RULES: Final[tuple[Rule, ...]] = tuple(
    sorted(
        (
            *(*DESTRUCTIVE, *TYPE_LOSS, *COMPATIBILITY, *EXISTING_DATA, *BUILDING_LOCKS, *REWRITING_LOCKS),
            *(*INTEGRITY, *SESSIONS, *OPERATION, *STYLE),
        ),
        key=lambda rule: (_FAMILIES.index(rule.id[:2]), rule.id),
    )
)
