"""Names that steps give themselves: the same in every plan, and no longer than servers allow."""

import hashlib
from typing import Final

_LONGEST: Final = 63


def shortened(*parts: str) -> str:
    """Return *parts* as one name of at most 63 bytes, with the beginning of a checksum if it had to be cut."""
    name = "_".join(parts)
    written = name.encode()
    if len(written) <= _LONGEST:
        return name
    mark = hashlib.sha256(written).hexdigest()[:8]
    return f"{written[: _LONGEST - 9].decode(errors='ignore')}_{mark}"
