"""Validation of what callers give."""

from typing import Any, Protocol

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Outcome


class Validator(Protocol):
    """Checks what callers give for entities of one resource, whatever the way in.

    Each method is given `Json`, which is a document as a caller sent it, or values as a program has them. One rule
    holds for both: what is of the field's own Python type is taken as it is, and anything else is read as JSON would
    be. What one of them refuses the other refuses too, with the same pointer, code and message.

    Answers hold the fields that were set, in the types of the store, and nothing of what was given is changed.
    """

    def create(self, given: Values) -> Outcome[Values]:
        """Return the values of a new entity, also of one that is imported or upserted.

        Fails with:
            Invalid: A field is not there, not to be written, or not what it has to be.
        """
        ...

    def restore(self, given: Values) -> Outcome[Values]:
        """Return the values of an imported entity as `create` does, or `StoredValues`; fails as `create` does.

        It may also have what an export shows and `create` does not take: the fields of `Resource.restorable`, which
        make the answer `StoredValues`, and computed fields, which are left out, as is a null for a generated field
        that is not nullable.
        """
        ...

    def replace(self, given: Values) -> Outcome[Values]:
        """Return the values that get the place of all an entity has; fails as `create` does."""
        ...

    def update(self, given: Values) -> Outcome[Values]:
        """Return other values for some fields of an entity; fails as `create` does.

        A JSON field may be given a `Merge`, and *given* may be a `JsonMergePatch`: then the value is a `Merge`, which
        checks what the stored document becomes.
        """
        ...

    def action(self, name: str, given: Any) -> Outcome[Any]:
        """Make an instance of the action *name* from `Json`, or from an instance whose fields nobody has checked.

        Fails with:
            Invalid: A field is not there, not known, or not what it has to be.
        """
        ...

    def source(self, purpose: str, title: str) -> Any:
        """Return what interfaces describe the body of *purpose* from: a type that pydantic knows.

        Args:
            purpose: `create`, `replace` or `update`.

            title: Its name, unless it is a class of the user's, which has one.
        """
        ...

    def member(self, field: str) -> Any:
        """Return what interfaces describe a member of a derived body from: a type that pydantic knows.

        Args:
            field: The name of a field of the resource.
        """
        ...
