"""What a line of the log holds."""

import json
import logging
import logging.config

import pytest
import structlog

from fastapi_easy.infrastructure.observation.structured_logs import configure_logging, log_config

CALLS = logging.getLogger("fastapi_easy.calls")


@pytest.fixture
def lines(capsys):
    """What is written to stderr; logging is afterwards as it was."""
    loggers = [logging.getLogger(name) for name in ("", "fastapi_easy", "uvicorn")]
    before = [(each.level, list(each.handlers), each.propagate) for each in loggers]

    def written():
        return capsys.readouterr().err.splitlines()

    yield written
    for each, (level, handlers, propagate) in zip(loggers, before, strict=True):
        each.setLevel(level)
        each.handlers[:] = handlers
        each.propagate = propagate


def test_writes_objects_for_programs(lines):
    configure_logging("INFO", json_lines=True)

    CALLS.info("create %s", "books", extra={"correlation_id": "c1"})

    written = json.loads(lines()[0])
    assert written.pop("timestamp").endswith("Z")
    assert written == {
        "message": "create books",
        "level": "info",
        "logger": "fastapi_easy.calls",
        "correlation_id": "c1",
    }


def test_writes_lines_for_people(lines):
    configure_logging("INFO")

    CALLS.info("create books", extra={"correlation_id": "c1"})

    written = lines()[0]
    assert "Z [info     ] create books" in written
    assert written.endswith("[fastapi_easy.calls] correlation_id=c1")


def test_takes_the_correlation_id_from_the_context(lines):
    configure_logging("INFO", json_lines=True)

    with structlog.contextvars.bound_contextvars(correlation_id="c2"):
        CALLS.info("in it")
        CALLS.info("more exactly", extra={"correlation_id": "c3"})

    assert [json.loads(each)["correlation_id"] for each in lines()] == ["c2", "c3"]


def test_keeps_tracebacks_without_the_values_of_variables(lines):
    configure_logging("INFO")

    def failing(password):
        raise LookupError("what")

    try:
        failing("hush" + "hush")
    except LookupError:
        CALLS.exception("a defect")

    text = "\n".join(lines())
    assert "LookupError: what" in text
    assert "hushhush" not in text


def test_keeps_tracebacks_in_one_object(lines):
    configure_logging("INFO", json_lines=True)

    try:
        {}["what"]
    except LookupError:
        CALLS.exception("a defect")

    written = json.loads(lines()[0])
    assert written["exception"].endswith("KeyError: 'what'")


def test_writes_what_json_cannot_hold(lines):
    configure_logging("INFO", json_lines=True)

    CALLS.info("odd", extra={"thing": {1}})

    assert json.loads(lines()[0])["thing"] == "{1}"


def test_obeys_the_level(lines):
    configure_logging("WARNING", json_lines=True)

    CALLS.info("no")
    logging.getLogger("uvicorn.error").info("no")
    logging.getLogger("another").info("no")
    CALLS.warning("yes")
    logging.getLogger("another").warning("yes")

    assert [json.loads(each)["message"] for each in lines()] == ["yes", "yes"]


def test_leaves_out_the_colours_of_uvicorn(lines):
    configure_logging("INFO", json_lines=True)

    logging.getLogger("uvicorn.error").info("Shutting down", extra={"color_message": "\x1b[1m"})

    assert set(json.loads(lines()[0])) == {"timestamp", "level", "logger", "message"}


def test_can_be_sent_to_other_processes(lines):
    sent = json.loads(json.dumps(log_config("DEBUG", json_lines=True)))

    logging.config.dictConfig(sent)
    CALLS.debug("there")

    assert json.loads(lines()[0])["message"] == "there"
