"""Every row through asyncpg's COPY into nothing: `copy_out ROUNDS`, with the URL in the settings.

Prints seconds and bytes of each round.
"""

import asyncio
import json
import sys
import time

import asyncpg

from benchmarks.columns.tables import URL

QUERY = "SELECT id, title, price, attributes, created_at, owner_id FROM items ORDER BY id"


async def main(rounds: int) -> list[tuple[float, int]]:
    """Seconds and bytes of each round, after one that does not count."""
    connection = await asyncpg.connect(URL.replace("+asyncpg", ""))
    found: list[tuple[float, int]] = []
    for _ in range(rounds + 1):
        size = 0

        async def sink(data: bytes) -> None:
            nonlocal size
            size += len(data)

        begun = time.perf_counter()
        await connection.copy_from_query(QUERY, output=sink, format="csv")
        found.append((time.perf_counter() - begun, size))
    await connection.close()
    return found[1:]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1])))))
