"""How long the bookshop takes until it serves: `starting`, with its database in the settings; a new one is filled."""

import asyncio
import json
import time

BEGUN = time.perf_counter()


async def main() -> float:
    """Seconds from the first import to the end of the start."""
    from examples.bookshop.app import app  # noqa: PLC0415 - the import is what is measured

    async with app.router.lifespan_context(app):
        return time.perf_counter() - BEGUN


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
