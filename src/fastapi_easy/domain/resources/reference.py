"""Foreign keys, as the user's class says them."""

import enum
from dataclasses import dataclass


class ReferentialAction(enum.StrEnum):
    """What happens to a row when the row it refers to is removed, or gets other values. Worded as in SQL."""

    NO_ACTION = "NO ACTION"
    """The change is refused, unless nothing refers there any more when the statement ends."""

    RESTRICT = "RESTRICT"
    """The change is refused."""

    CASCADE = "CASCADE"
    """It is removed too, or gets the same values."""

    SET_NULL = "SET NULL"
    """It refers to nothing."""

    SET_DEFAULT = "SET DEFAULT"
    """It refers to what its default values name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A foreign key of one class. A null in any of its fields refers to nothing (MATCH SIMPLE).

    Attributes:
        fields: The fields of the class that hold the reference.

        target: The table they refer to, as `Shape.table` names it.

        remote: The columns of that table, pairwise.

        on_delete: What happens when the row referred to is removed.

        on_update: What happens when that row gets other values in the columns referred to.

        deferred: Checked when the transaction commits, not when each statement ends.
    """

    fields: tuple[str, ...]
    target: str
    remote: tuple[str, ...]
    on_delete: ReferentialAction = ReferentialAction.NO_ACTION
    on_update: ReferentialAction = ReferentialAction.NO_ACTION
    deferred: bool = False
