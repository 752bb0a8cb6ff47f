"""Values that the audit trail recorded and cannot tell any more, or never told whole."""

from fastapi_easy.domain.values.unexpected import UnexpectedValue


class LostValue(UnexpectedValue):
    """Stands in a history for a value that was erased, or that was recorded as its digest only.

    Attributes:
        shown: What the trail holds in its place: `{"erased": true}`, or the digest and the length.
    """

    __slots__ = ()
