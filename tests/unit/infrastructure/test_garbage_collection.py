"""How often Python looks for garbage while programs start, and afterwards."""

import gc
import threading
from collections.abc import Iterator

import pytest

from fastapi_easy.infrastructure.garbage_collection import rare_collections


@pytest.fixture(autouse=True)
def usual() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield gc.get_threshold()
    gc.set_threshold(*before)


def test_collections_are_rare_inside_the_block_and_as_before_afterwards(usual: tuple[int, int, int]) -> None:
    with rare_collections():
        inside = gc.get_threshold()

    assert (inside[0] > 10 * usual[0], inside[1:], gc.get_threshold()) == (True, usual[1:], usual)
    assert gc.isenabled()


def test_they_are_as_before_after_a_start_that_fails(usual: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="wrong"), rare_collections():
        raise ValueError("wrong")

    assert gc.get_threshold() == usual


def test_the_last_of_several_starts_brings_them_back(usual: tuple[int, int, int]) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def start() -> None:
        with rare_collections():
            begun.set()
            assert may_end.wait(10)

    thread = threading.Thread(target=start)
    with rare_collections():
        thread.start()
        assert begun.wait(10)
    meanwhile = gc.get_threshold()
    may_end.set()
    thread.join(10)

    assert (meanwhile != usual, gc.get_threshold()) == (True, usual)


@pytest.mark.parametrize("chosen", [(0, 10, 10), (1_000_000, 5, 5)], ids=["never", "rarer"])
def test_a_program_that_has_them_less_often_is_left_alone(chosen: tuple[int, int, int]) -> None:
    gc.set_threshold(*chosen)

    with rare_collections():
        inside = gc.get_threshold()

    assert (inside, gc.get_threshold()) == (chosen, chosen)


def test_what_a_program_chooses_meanwhile_stays() -> None:
    with rare_collections():
        gc.set_threshold(5_000, 2, 2)

    assert gc.get_threshold() == (5_000, 2, 2)
