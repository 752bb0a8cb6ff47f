"""Checkpoints as lines of the log, which is collected somewhere else."""

import logging
from collections.abc import Sequence
from typing import Final

from returns.result import Success

from fastapi_easy.domain.audit.entry import Checkpoint
from fastapi_easy.domain.errors import Outcome

_logger: Final = logging.getLogger("fastapi_easy.audit.checkpoints")


class LogAnchor:
    """Implements `AnchorSink`: a line for each, with `stream`, `size` and `note`.

    They cannot be read back from here. Give the collected lines, as JSON, to `fastapi-easy audit verify --anchor`.
    """

    name: str = "log"

    async def anchor(self, checkpoint: Checkpoint, /) -> Outcome[None]:
        """Log *checkpoint*."""
        _logger.info(
            "audit checkpoint",
            extra={"stream": checkpoint.stream, "size": checkpoint.size, "note": checkpoint.note},
        )
        return Success(None)

    async def notes(self, _origin: str, /) -> Outcome[Sequence[str] | None]:
        """Return `None`."""
        return Success(None)

    async def origins(self) -> Outcome[Sequence[str] | None]:
        """Return `None`."""
        return Success(None)
