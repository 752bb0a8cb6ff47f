"""The values of one entity, by field name."""

from typing import Any


class Row(dict[str, Any]):
    """The values of one entity: a dictionary whose items can also be read as attributes.

    Holds the fields that were asked for and nothing else. It belongs to the caller: no session stands behind
    it, and changing it changes nothing in the store.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        """The value of field *name*.

        Raises:
            AttributeError: The row does not hold that field.
        """
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"this row has no field {name!r}; it has {', '.join(self)}") from None
