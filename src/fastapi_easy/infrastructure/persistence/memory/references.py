"""Foreign keys: checks and referential actions when a statement or a transaction ends, as in SQL."""

from dataclasses import dataclass
from typing import Any, assert_never

from fastapi_easy.domain.resources.reference import ReferentialAction
from fastapi_easy.infrastructure.persistence.memory.layers import Layers
from fastapi_easy.infrastructure.persistence.memory.tables import ForeignKey, Identity, Layer, Values
from fastapi_easy.infrastructure.persistence.memory.values import initial_value


@dataclass(frozen=True, slots=True)
class BrokenReference:
    """The reference that changes would break.

    Attributes:
        reference: It would lead nowhere.

        is_new: The row that refers was changed; else only what it refers to.
    """

    reference: ForeignKey
    is_new: bool


def apply_referential_actions(layers: Layers, *, final: bool) -> BrokenReference | None:
    """Make the changes that follow from those in *layers*; return why they cannot be, if so.

    Args:
        layers: The changes. Everything that was not changed refers to what is there.

        final: Deferred references are looked at too.
    """
    if not any(layer.table.references or layer.table.referrers for layer in layers):
        return None
    _cascade(layers)
    for layer in layers:
        for each in layer.table.references:
            if (final or not each.declared.deferred) and _is_dangling(each, layer, layers):
                return BrokenReference(each, is_new=True)
        for each in layer.table.referrers:
            if (final or not each.declared.deferred) and _is_still_referenced(each, layer, layers):
                return BrokenReference(each, is_new=False)
    return None


def _is_dangling(reference: ForeignKey, layer: Layer, layers: Layers) -> bool:
    new_reference = map(reference.new_reference, layer.changes.values())
    target = layers.view(reference.target)
    return any(values is not None and not reference.has_target(target, values) for values in new_reference)


def _is_still_referenced(reference: ForeignKey, layer: Layer, layers: Layers) -> bool:
    old_reference = map(reference.old_reference, layer.changes.values())
    source = layers.view(reference.source)
    return any(
        values is not None
        and source.referring_rows(reference.fields, values)
        and not reference.has_target(layer, values)
        for values in old_reference
    )


def _cascade(layers: Layers) -> None:
    """Remove and change the rows that refer to what was removed or changed, as their references say."""
    waiting = [
        (layer.table, identity)
        for layer in layers
        if layer.table.referrers
        for identity, change in layer.changes.items()
        if change.original is not None
    ]
    # A row that follows may be referred to itself. A circle of removals ends: what was removed refers to nothing.
    while waiting:
        table, identity = waiting.pop()
        layer = layers.of(table)
        change = layer.changes[identity]
        for each in table.referrers:
            old_reference = each.old_reference(change)
            if old_reference is None or each.has_target(layer, old_reference):
                continue
            action = each.declared.on_delete if change.row is None else each.declared.on_update
            referring_rows = layers.view(each.source).referring_rows(each.fields, old_reference)
            changed = [
                holder for holder in referring_rows if _apply_action(action, each, holder, change.row, layers)
            ]
            waiting.extend((each.source, holder) for holder in changed)


def _apply_action(
    action: ReferentialAction, reference: ForeignKey, holder: Identity, row: Values | None, layers: Layers
) -> bool:
    """Do *action* to the row *holder*, which refers to what is *row* by now; tell whether that was possible."""
    if action in {ReferentialAction.NO_ACTION, ReferentialAction.RESTRICT}:
        return False
    source = layers.of(reference.source)
    if action is ReferentialAction.CASCADE and row is None:
        return source.write(holder, None) is None
    given = _new_field_values(action, reference, row)
    # Where the action cannot be done the reference stays broken, and the whole statement is refused for it.
    refuses_nulls = any(
        value is None and not reference.source.resource.stored_fields[name].nullable
        for name, value in given.items()
    )
    held = source.get(holder)
    if held is None or refuses_nulls or not given.keys().isdisjoint(reference.source.resource.key):
        return False
    return source.write(holder, held | given, fields=frozenset(given)) is None


def _new_field_values(action: ReferentialAction, reference: ForeignKey, row: Values | None) -> dict[str, Any]:
    """Return what *action* puts into the fields of *reference*."""
    fields = reference.source.resource.stored_fields
    match action:
        case ReferentialAction.CASCADE if row is not None:
            return {
                here: row[there]
                for here, there in zip(reference.fields, reference.declared.remote, strict=True)
            }
        case ReferentialAction.SET_DEFAULT:
            return {name: initial_value(fields[name], {}) for name in reference.fields}
        case (
            ReferentialAction.SET_NULL
            | ReferentialAction.CASCADE
            | ReferentialAction.RESTRICT
            | ReferentialAction.NO_ACTION
        ):
            return dict.fromkeys(reference.fields)
        case _:
            assert_never(action)
