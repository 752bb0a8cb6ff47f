"""Several hosts in a URL are asked in turn, each with a share of the time."""

from collections.abc import Mapping
from typing import Any

import pytest

from fastapi_easy.infrastructure.relational.sessions.hosts import Hosts

ADDRESSES = [("a", 1), ("b", 2), ("c", 3)]


class Net:
    """Answers on some hosts only, and remembers whom it was asked for."""

    def __init__(self, *there: str) -> None:
        self.there = there
        self.asked: list[Mapping[str, Any]] = []

    def connect(self, arguments: Mapping[str, Any]) -> str:
        self.asked.append(arguments)
        (name,) = arguments["host"]
        if name not in self.there:
            raise ConnectionError(f"nobody is at {name}")
        return str(name)

    def names(self) -> list[str]:
        return [each["host"][0] for each in self.asked]


def test_the_host_that_answered_is_asked_first_the_next_time() -> None:
    hosts, net = Hosts(ADDRESSES, 3.0, as_text=False), Net("b")

    found = [hosts.connect(net.connect, (OSError,)) for _ in range(2)]

    assert found == ["b", "b"]
    assert net.names() == ["a", "b", "b"]


def test_all_are_asked_again_when_it_has_gone() -> None:
    hosts, net = Hosts(ADDRESSES, 3.0, as_text=False), Net("b")
    _ = hosts.connect(net.connect, (OSError,))
    net.there = ("a",)

    assert hosts.connect(net.connect, (OSError,)) == "a"
    assert net.names() == ["a", "b", "b", "c", "a"]


def test_the_last_one_says_why_there_is_no_connection() -> None:
    hosts, net = Hosts(ADDRESSES, 3.0, as_text=False), Net()

    with pytest.raises(ConnectionError, match="nobody is at c"):
        hosts.connect(net.connect, (OSError,))


def test_a_host_has_its_share_of_the_time_and_a_little_at_least() -> None:
    net, hurried = Net(), Net()

    for seconds, each in ((30.0, net), (0.3, hurried)):
        with pytest.raises(ConnectionError):
            Hosts(ADDRESSES, seconds, as_text=False).connect(each.connect, (OSError,))

    assert [each["timeout"] for each in net.asked] == pytest.approx([10.0, 15.0, 30.0], abs=1.0)
    assert [each["timeout"] for each in hurried.asked] == [0.5, 0.5, 0.5]
