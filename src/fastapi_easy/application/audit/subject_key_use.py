"""The keys of people in the audit trail, for the commands that count what is encrypted with which key."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.audit.entries.personal_values import PersonalValues
from fastapi_easy.application.secrets.rotate_secrets import KeyUse, Rotation
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.audit_sink import AuditSink

SUBJECT_KEYS: Final = "fe_audit_subject"
"""What they are called among the resources: their table."""

_FIELD: Final = "wrapped"
_PAGE: Final = 1000


class SubjectKeyUse:
    """Implements `EncryptedValues` for the keys of people in one database. They are counted, and never changed.

    Whoever could change one could put another in its place, so that the trail lets none be changed: the key of the
    application's that wraps them is needed for as long as their values are to be read.

    Args:
        sink: Where they are.

        personal: Says which key wraps one.
    """

    def __init__(self, sink: AuditSink, personal: PersonalValues) -> None:
        self._sink = sink
        self._personal = personal

    async def count(self) -> Outcome[tuple[KeyUse, ...]]:
        """Count the keys by what wraps them, page by page; nothing is decrypted."""
        # An application that audits since its last release may not have been started yet.
        prepared = await self._sink.prepare()
        if isinstance(prepared, Failure):
            return prepared
        found: Counter[str] = Counter()
        after = ""
        while True:
            read = await self._sink.list_subject_keys(after, _PAGE)
            if isinstance(read, Failure):
                return read
            page = read.unwrap()
            found.update(self._personal.key_id_of(each) for each in page.values())
            if len(page) < _PAGE:
                return Success((KeyUse(SUBJECT_KEYS, _FIELD, found),))
            after = max(page)

    async def rotate(
        self, report: Callable[[Rotation], None], *, is_dry_run: bool = False
    ) -> Outcome[Rotation]:
        """Change nothing, and say how many there are."""
        counted = await self.count()
        if isinstance(counted, Failure):
            return counted
        done = Rotation(resource=SUBJECT_KEYS, examined=sum(each.values.total() for each in counted.unwrap()))
        report(done)
        return Success(done)
