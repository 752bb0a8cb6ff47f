"""Merging into a stored JSON document, as RFC 7396 says."""

from collections.abc import Callable
from typing import Any

from returns.result import Success

from fastapi_easy.domain.errors import Outcome


class Merge:
    """The value of a JSON field in a patch: what to make of the stored document, and not the document itself.

    Members are merged one by one, at every level; `None` removes a member. Where an object meets something else, that
    is replaced. Lists are replaced as a whole.

    Args:
        document: What to merge, a dictionary.

        check: Checks the merged document, and returns what to store; without one it is stored as it is.
    """

    __slots__ = ("_check", "document")

    def __init__(
        self, document: dict[str, Any], check: Callable[[object], Outcome[object]] | None = None
    ) -> None:
        self.document = document
        self._check = check

    def __repr__(self) -> str:
        """Show its type, and not what it holds, which may be secret."""
        return f"Merge({type(self.document).__name__})"

    def into(self, stored: object) -> Outcome[object]:
        """Return what to store in place of the document *stored*, which stays as it is.

        Fails with:
            Invalid: The field does not allow what it would become.
        """
        merged = merge_patch(stored, self.document)
        return Success(merged) if self._check is None else self._check(merged)


def merge_patch(target: object, patch: object) -> object:
    """Return what *patch* makes of *target* (RFC 7396, section 2); neither is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            _ = merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
