"""A Redis that removes streams when its memory is full keeps no messages."""

import pytest

from fastapi_easy.infrastructure.brokers.redis.broker import evicts_streams


@pytest.mark.parametrize(
    ("limit", "policy", "evicts"),
    [
        (0, "allkeys-lru", False),
        (1_000_000, "allkeys-lru", True),
        (1_000_000, "allkeys-random", True),
        (1_000_000, "noeviction", False),
        (1_000_000, "volatile-ttl", False),
    ],
)
def test_only_a_limit_with_a_policy_for_all_keys_removes_streams(
    limit: int, policy: str, evicts: bool
) -> None:
    assert evicts_streams({"maxmemory": limit, "maxmemory_policy": policy}) is evicts
