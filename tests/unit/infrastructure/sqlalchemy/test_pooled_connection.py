"""How a connection of a pool is opened."""

import pytest
from sqlalchemy import create_engine

from fastapi_easy.infrastructure.relational.driver.pooled_connection import open_connection


def hang_up() -> None:
    raise RuntimeError("Transport does not expose socket instance")


def test_a_server_that_hangs_up_while_it_is_connected_to_does_not_answer() -> None:
    engine = create_engine("sqlite://", creator=hang_up)

    with pytest.raises(ConnectionError, match="Transport does not expose"):
        _ = open_connection(engine)
