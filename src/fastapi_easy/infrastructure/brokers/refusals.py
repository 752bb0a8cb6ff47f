"""What a broker can never take, or should never be used for."""

import logging

from fastapi_easy.domain.errors import Fault, Invalid

_logger = logging.getLogger(__name__)


def message_too_large() -> Invalid:
    """Return why a message is not taken, however often it is tried."""
    return Invalid((Fault("", "the message is larger than the broker takes", "too_large"),))


def unfit_server(setting: str, sentence: str) -> Invalid:
    """Return why a server would lose messages, and log it for whoever has set it up.

    Args:
        setting: The setting that names it: `broker_url`.

        sentence: With the way to mend it.
    """
    _logger.error("events.%s: %s", setting, sentence)
    return Invalid((Fault(f"/events/{setting}", sentence, "unfit_server"),))
