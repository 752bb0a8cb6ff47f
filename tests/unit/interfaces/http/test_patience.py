"""A wait with a limit ends as it would inside of `asyncio.timeout`, whether or not it has to wait."""

import asyncio

import pytest

from fastapi_easy.interfaces.http.requests.timeouts import within


async def at_once() -> str:
    return "there"


async def later(seconds: float, ended: list[str]) -> str:
    try:
        await asyncio.sleep(0)
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        ended.append("cancelled")
        raise
    finally:
        ended.append("ended")
    return "there"


async def test_what_is_there_is_answered() -> None:
    assert await within(1, at_once()) == "there"


async def test_what_comes_in_time_is_answered() -> None:
    ended: list[str] = []
    assert await within(5, later(0.01, ended)) == "there"
    assert ended == ["ended"]


async def test_what_is_no_coroutine_is_waited_for_too() -> None:
    waited = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, waited.set_result, "there")
    assert await within(5, waited) == "there"


async def test_what_takes_too_long_is_given_up_and_tidies_up() -> None:
    ended: list[str] = []
    with pytest.raises(TimeoutError):
        _ = await within(0.01, later(60, ended))
    assert ended == ["cancelled", "ended"]


async def test_a_cancellation_reaches_it() -> None:
    ended: list[str] = []
    task = asyncio.create_task(within(60, later(60, ended)))
    await asyncio.sleep(0.01)
    _ = task.cancel()
    with pytest.raises(asyncio.CancelledError):
        _ = await task
    assert ended == ["cancelled", "ended"]


@pytest.mark.parametrize("waits", [False, True])
async def test_what_it_raises_is_raised(waits: bool) -> None:
    async def fail() -> None:
        if waits:
            await asyncio.sleep(0)
        raise ValueError("own")

    with pytest.raises(ValueError, match="own"):
        await within(1, fail())
