"""What foreign keys make of the changes of a statement or a transaction, as SQL does when it ends."""

from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.resources.reference import ReferentialAction
from fastapi_easy.infrastructure.persistence.memory.layers import Layers
from fastapi_easy.infrastructure.persistence.memory.tables import ForeignKey, Identity, Layer, Values
from fastapi_easy.infrastructure.persistence.memory.values import initial


@dataclass(frozen=True, slots=True)
class Broken:
    """The reference because of which changes cannot be.

    Attributes:
        reference: It would lead nowhere.

        is_new: The row that refers was changed; else only what it refers to.
    """

    reference: ForeignKey
    is_new: bool


def settle(layers: Layers, *, final: bool) -> Broken | None:
    """Make the changes that follow from those in *layers*; return why they cannot be, if so.

    Args:
        layers: The changes. Everything that was not changed refers to what is there.

        final: Deferred references are looked at too.
    """
    if not any(layer.table.references or layer.table.referrers for layer in layers):
        return None
    _follow(layers)
    for layer in layers:
        for each in layer.table.references:
            if (final or not each.declared.deferred) and _leads_nowhere(each, layer, layers):
                return Broken(each, is_new=True)
        for each in layer.table.referrers:
            if (final or not each.declared.deferred) and _is_held(each, layer, layers):
                return Broken(each, is_new=False)
    return None


def _leads_nowhere(reference: ForeignKey, layer: Layer, layers: Layers) -> bool:
    begun = map(reference.begun, layer.changes.values())
    target = layers.view(reference.target)
    return any(values is not None and not reference.leads(target, values) for values in begun)


def _is_held(reference: ForeignKey, layer: Layer, layers: Layers) -> bool:
    ended = map(reference.ended, layer.changes.values())
    source = layers.view(reference.source)
    return any(
        values is not None and source.holders(reference.fields, values) and not reference.leads(layer, values)
        for values in ended
    )


def _follow(layers: Layers) -> None:
    """Remove and change the rows that refer to what was removed or changed, as their references say."""
    waiting = [
        (layer.table, identity)
        for layer in layers
        if layer.table.referrers
        for identity, change in layer.changes.items()
        if change.seen is not None
    ]
    while waiting:
        table, identity = waiting.pop()
        layer = layers.of(table)
        change = layer.changes[identity]
        for each in table.referrers:
            ended = each.ended(change)
            if ended is None or each.leads(layer, ended):
                continue
            action = each.declared.on_delete if change.row is None else each.declared.on_update
            holders = layers.view(each.source).holders(each.fields, ended)
            changed = [holder for holder in holders if _act(action, each, holder, change.row, layers)]
            waiting.extend((each.source, holder) for holder in changed)


def _act(
    action: ReferentialAction, reference: ForeignKey, holder: Identity, row: Values | None, layers: Layers
) -> bool:
    """Do *action* to the row *holder*, which refers to what is *row* by now; tell whether that was possible."""
    if action in {ReferentialAction.NO_ACTION, ReferentialAction.RESTRICT}:
        return False
    source = layers.of(reference.source)
    if action is ReferentialAction.CASCADE and row is None:
        return source.write(holder, None) is None
    given = _given(action, reference, row)
    refuses_nulls = any(
        value is None and not reference.source.resource.fields[name].nullable for name, value in given.items()
    )
    held = source.get(holder)
    if held is None or refuses_nulls or not given.keys().isdisjoint(reference.source.resource.key):
        return False
    return source.write(holder, held | given, fields=frozenset(given)) is None


def _given(action: ReferentialAction, reference: ForeignKey, row: Values | None) -> dict[str, Any]:
    """Return what *action* puts into the fields of *reference*."""
    fields = reference.source.resource.fields
    if action is ReferentialAction.CASCADE and row is not None:
        return {
            here: row[there] for here, there in zip(reference.fields, reference.declared.there, strict=True)
        }
    if action is ReferentialAction.SET_DEFAULT:
        return {name: initial(fields[name], {}) for name in reference.fields}
    return dict.fromkeys(reference.fields)
