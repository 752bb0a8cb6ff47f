"""The properties of a column that a probe looks at, one by one."""

from collections.abc import Callable, Mapping

from fastapi_easy.domain.migrations.step import Effect, Probe, ProbeValue

_NAMES = frozenset({"schema", "table", "name"})


def effect_of_aspects(probe: Probe, found: Mapping[str, ProbeValue]) -> Effect:
    """Return how many of the properties that *probe* wants are as wanted.

    Args:
        probe: Of a column that exists.

        found: What the column is like: a name that ends with `_before` in the probe is compared without that ending.
    """
    wanted = {name: value for name, value in probe.wanted.items() if name not in _NAMES}
    if not wanted:
        return Effect.APPLIED
    verdicts = {_is_met(name, value, found.get) for name, value in wanted.items()}
    if verdicts == {True}:
        return Effect.APPLIED
    return Effect.PARTIAL if True in verdicts else Effect.NOT_APPLIED


def _is_met(name: str, value: ProbeValue, find: Callable[[str], ProbeValue]) -> bool:
    if name.endswith("_before"):
        return find(name.removesuffix("_before")) != value
    return find(name) == value
