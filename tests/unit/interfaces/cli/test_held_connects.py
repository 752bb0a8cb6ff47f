"""Nobody connects to a socket that is about to be closed, and nobody is reset by that."""

import contextlib
import socket
import sys
from collections.abc import Iterator

import pytest

from fastapi_easy.interfaces.cli.server.held_connects import hold_connects

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only the kernel of Linux holds connects")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(10)
        yield made


def connected(listener: socket.socket, timeout: float = 10) -> socket.socket:
    return socket.create_connection(listener.getsockname(), timeout=timeout)


def test_who_has_connected_is_served_and_nobody_else_connects(listener: socket.socket) -> None:
    with (
        contextlib.closing(connected(listener)) as before,
        contextlib.closing(connected(listener)) as waiting,
    ):
        accepted, _ = listener.accept()
        before.sendall(b"first")

        held = hold_connects(listener)

        with pytest.raises(TimeoutError):
            _ = connected(listener, timeout=0.3)
        # One that was not accepted when it began is, and both are heard and answered.
        late, _ = listener.accept()
        waiting.sendall(b"second")
        with accepted, late:
            late.sendall(b"answer")
            assert (accepted.recv(10), late.recv(10), waiting.recv(10)) == (b"first", b"second", b"answer")
        assert held
