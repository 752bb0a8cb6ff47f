"""Structured logs: one line per event, for people or as JSON."""

import logging
import logging.config
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, Processor

_FORMATTER: Final = f"{__name__}.formatter"


def configure_logging(level: str, *, json_lines: bool = False) -> None:
    """Log to stderr, in this process.

    Args:
        level: The level of the loggers `fastapi_easy` and `uvicorn`, like `INFO`; all others log from `WARNING` on.

        json_lines: One JSON object per line instead of text for people.
    """
    logging.config.dictConfig(log_config(level, json_lines=json_lines))


def log_config(level: str, *, json_lines: bool = False) -> dict[str, object]:
    """Build the `logging.config` dictionary; plain data, so that it can go to other processes."""
    our_loggers = {"level": level, "handlers": ["lines"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": _FORMATTER, "json_lines": json_lines}},
        "handlers": {
            "lines": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}
        },
        "loggers": {"fastapi_easy": our_loggers, "uvicorn": our_loggers},
        "root": {"level": "WARNING", "handlers": ["lines"]},
    }


def formatter(*, json_lines: bool) -> logging.Formatter:
    """Make the formatter for all loggers, structlog's too: time in UTC, level, logger, `extra` and context."""
    shared_processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _without_colours,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final_processors: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if json_lines:
        final_processors += [
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(default=repr),
        ]
    else:
        # `plain_traceback`, since the others print the values of variables, secrets among them.
        final_processors.append(
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared_processors, processors=final_processors
    )


def _without_colours(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Drop the message that uvicorn adds a second time, in colour."""
    event.pop("color_message", None)
    return event
