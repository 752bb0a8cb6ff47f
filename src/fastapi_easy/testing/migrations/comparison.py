"""The steps from one schema in memory to another."""

from collections.abc import Callable, Iterator, Mapping

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode

ModeOf = Callable[[str], StepMode]


def compare(stored: Mapping[str, str], declared: Mapping[str, str], mode_of: ModeOf) -> tuple[Step, ...]:
    """Return the steps that lead from *stored* to *declared*: what is created, changed, dropped."""
    return tuple(_compare(stored, declared, mode_of))


def _compare(stored: Mapping[str, str], declared: Mapping[str, str], mode_of: ModeOf) -> Iterator[Step]:
    for name in sorted(declared.keys() - stored.keys(), key=_depth):
        yield _create(name, declared[name], mode_of(name))
    for name in sorted(declared.keys() & stored.keys(), key=_depth):
        if declared[name] != stored[name]:
            yield _change(name, stored[name], declared[name], mode_of(name))
    for name in sorted(stored.keys() - declared.keys(), key=_depth, reverse=True):
        yield _drop(name, stored[name], mode_of(name))


def _depth(name: str) -> tuple[int, str]:
    return name.count("."), name


def _create(name: str, definition: str, mode: StepMode) -> Step:
    statement = f"create {name} {definition}"
    kind = ChangeKind.ADD_COLUMN if "." in name else ChangeKind.CREATE_TABLE
    return Step(
        changes=(_change_of(kind, name),),
        summary=statement,
        statements=(statement,),
        reverse=(f"drop {name}",),
        reversibility=Reversibility.FULL,
        mode=mode,
        reverse_mode=mode,
        probe=Probe(kind="object", wanted={"name": name, "definition": definition}),
        cleanup=(f"clean {name}",),
    )


def _change(name: str, before: str, after: str, mode: StepMode) -> Step:
    statement = f"change {name} {after}"
    return Step(
        changes=(_change_of(ChangeKind.CHANGE_COMMENT, name),),
        summary=statement,
        statements=(statement,),
        reverse=(f"change {name} {before}",),
        reversibility=Reversibility.FULL,
        mode=mode,
        reverse_mode=mode,
        probe=Probe(kind="object", wanted={"name": name, "definition": after}),
    )


def _drop(name: str, definition: str, mode: StepMode) -> Step:
    kind = ChangeKind.DROP_COLUMN if "." in name else ChangeKind.DROP_TABLE
    return Step(
        changes=(_change_of(kind, name),),
        summary=f"drop {name}",
        statements=(f"drop {name}",),
        # It may be undone twice, if the first time is cut off.
        reverse=(f"clean {name}", f"create {name} {definition}"),
        reversibility=Reversibility.SCHEMA_ONLY,
        mode=mode,
        reverse_mode=mode,
        probe=Probe(kind="object", wanted={"name": name, "definition": definition}, absent=True),
        destructive=True,
    )


def _change_of(kind: ChangeKind, name: str) -> Change:
    table, _, part = name.partition(".")
    return Change(kind=kind, table=table, name=part)
