"""The rules of an entity's class that look at more than one field."""

from collections.abc import Set as AbstractSet
from typing import Protocol

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Outcome


class EntityRules(Protocol):
    """Checks whole entities by the rules of the user's class; an adapter makes it from the class, if it has such rules.

    Values given and returned are by the names of the fields, in the types of the store. What a rule makes of them is
    part of what is returned. An exception of a rule that is neither `ValueError` nor `AssertionError` is a defect, and
    passes.
    """

    def check_new(self, values: Values) -> Outcome[Values]:
        """Return what to store of a new entity that is given *values*.

        Fails with:
            Invalid: A rule refuses it.
        """
        ...

    def check_changed(self, values: Values, changed: AbstractSet[str]) -> Outcome[Values]:
        """Return what to store of an entity that has *values* after a change of the fields *changed*.

        Fails with:
            Invalid: A rule refuses it.
        """
        ...
