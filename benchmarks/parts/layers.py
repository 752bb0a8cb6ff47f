"""Where the time of a call goes, layer by layer, in one process and without sockets to the caller."""

import json
from collections.abc import Mapping

from benchmarks.bench import Bench
from benchmarks.findings import Part, Table, number
from benchmarks.programs import run_program


def measure(bench: Bench) -> Part:
    """Measure what each layer adds."""
    printed = run_program("layers", bench.cores.server, str(bench.rounds), url=bench.database.async_url)
    found: Mapping[str, Mapping[str, float]] = json.loads(printed)
    bench.database.restore("items")
    names = list(next(iter(found.values())))
    return Part(
        tables=[
            Table(
                "µs of CPU of one call after the other, each layer with those before it:",
                ("", *names),
                [(endpoint, *(number(layers[name]) for name in names)) for endpoint, layers in found.items()],
            )
        ],
        figures=found,
    )
