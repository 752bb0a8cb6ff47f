"""Verifying a stream: each attack has its name, and its place."""

import dataclasses
import datetime
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain.audit.entry import AuditEntry, SealedEntry, StoredEntry, StreamHead
from fastapi_easy.domain.audit.findings import Finding, Verdict, verdict_of
from fastapi_easy.domain.audit.merkle import Frontier, root_of
from fastapi_easy.domain.audit.sealing import Sealer, columns_of, empty_head, head_after, leaf_of, mac_of
from fastapi_easy.domain.audit.verification import SignedRoot, StreamVerifier

STREAM: Final = "changes-00"
SEALER: Final = Sealer("k1", b"a key that is not in the database")
KEYS: Final = {SEALER.key_id: SEALER.key}
NOW: Final = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
ATTACKER: Final = Sealer("k1", b"a key that somebody made up")

Trail = list[StoredEntry]


def entry(number: int, *, actor: str = "ann") -> AuditEntry:
    return AuditEntry(
        stream=STREAM, occurred_at=NOW, actor=actor, action="update", resource="books", key=number
    )


def trail(size: int, sealer: Sealer = SEALER, before: Sequence[StoredEntry] = ()) -> Trail:
    """Return *before*, continued up to *size* entries."""
    made = list(before)
    head = head_after(made[-1].sealed) if made else empty_head(STREAM)
    while len(made) < size:
        new = entry(len(made) + 1)
        sealed = sealer.seal(new, head)
        made.append(StoredEntry(sealed=sealed, columns=columns_of(new)))
        head = head_after(sealed)
    return made


def signed(entries: Trail, size: int, *, is_anchored: bool = True) -> SignedRoot:
    return SignedRoot(size, root_of(each.sealed.leaf for each in entries[:size]), is_anchored)


def verify(
    entries: Trail,
    *,
    roots: Sequence[SignedRoot] = (),
    keys: dict[str, bytes] = KEYS,
    head: StreamHead | None = None,
) -> list[Finding]:
    verifier = StreamVerifier(STREAM, keys, roots, has_anchors=any(each.is_anchored for each in roots))
    for each in entries:
        verifier.check(each)
    verifier.finish(head)
    return verifier.findings


def found(findings: list[Finding]) -> list[tuple[str, int, int]]:
    return [(each.kind.value, each.seq, each.last) for each in findings]


def changed(stored: StoredEntry, **changes: Any) -> StoredEntry:
    return dataclasses.replace(stored, sealed=dataclasses.replace(stored.sealed, **changes))


def edited_body(stored: StoredEntry) -> bytes:
    members = json.loads(stored.sealed.body or b"")
    return json.dumps({**members, "actor": "bob"}, separators=(",", ":"), sort_keys=True).encode()


def edit(entries: Trail) -> Trail:
    return [*entries[:4], changed(entries[4], body=edited_body(entries[4])), *entries[5:]]


def edit_and_rehash(entries: Trail) -> Trail:
    body = edited_body(entries[4])
    return [*entries[:4], changed(entries[4], body=body, leaf=leaf_of(body)), *entries[5:]]


def recompute_everything_after(entries: Trail) -> Trail:
    """Edit number 5, and seal it and everything after it with another key under the same name."""
    made = entries[:4]
    head = head_after(made[-1].sealed)
    for number in range(5, len(entries) + 1):
        new = entry(number, actor="bob" if number == 5 else "ann")
        sealed = ATTACKER.seal(new, head)
        made.append(StoredEntry(sealed=sealed, columns=columns_of(new)))
        head = head_after(sealed)
    return made


def swap(entries: Trail) -> Trail:
    one, other = changed(entries[5], seq=5), changed(entries[4], seq=6)
    return [*entries[:4], one, other, *entries[6:]]


def insert(entries: Trail) -> Trail:
    """Put one in after number 4; those after it move on."""
    new = ATTACKER.seal(entry(5, actor="bob"), head_after(entries[3].sealed))
    moved = [changed(each, seq=each.sealed.seq + 1) for each in entries[4:]]
    return [*entries[:4], StoredEntry(sealed=new, columns=columns_of(entry(5, actor="bob"))), *moved]


def fork(entries: Trail) -> Trail:
    other = SEALER.seal(entry(5, actor="bob"), head_after(entries[3].sealed))
    return [*entries[:5], StoredEntry(sealed=other, columns=columns_of(entry(5, actor="bob"))), *entries[5:]]


def splice(entries: Trail) -> Trail:
    """Replace number 5 by one that was sealed with the key, in another history."""
    other = SEALER.seal(entry(5, actor="bob"), head_after(entries[3].sealed))
    return [*entries[:4], StoredEntry(sealed=other, columns=columns_of(entry(5, actor="bob"))), *entries[5:]]


def edit_column(entries: Trail) -> Trail:
    columns = {**entries[4].columns, "actor": "bob"}
    return [*entries[:4], dataclasses.replace(entries[4], columns=columns), *entries[5:]]


def remove_body(entries: Trail) -> Trail:
    return [*entries[:4], StoredEntry(sealed=changed(entries[4], body=None).sealed, columns={}), *entries[5:]]


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        pytest.param(list, [], id="nothing"),
        pytest.param(edit, [("edited", 5, 5)], id="a row is edited"),
        pytest.param(
            lambda trail: edit(edit_column(trail)), [("edited", 5, 5)], id="a row is edited with its columns"
        ),
        pytest.param(edit_and_rehash, [("bad-mac", 5, 5)], id="a row is edited and hashed again"),
        pytest.param(
            recompute_everything_after, [("bad-mac", 5, 10)], id="everything after an edit is computed anew"
        ),
        pytest.param(lambda trail: [*trail[:4], *trail[6:]], [("deleted", 5, 6)], id="rows are deleted"),
        pytest.param(swap, [("reordered", 5, 6)], id="two rows are swapped"),
        pytest.param(insert, [("bad-mac", 5, 5), ("reordered", 6, 11)], id="a row is put in"),
        pytest.param(fork, [("forked", 5, 5)], id="there are two rows with one number"),
        pytest.param(splice, [("forked", 6, 6)], id="a row is of another history"),
        pytest.param(edit_column, [("column-mismatch", 5, 5)], id="a column is edited"),
        pytest.param(remove_body, [("deleted", 5, 5)], id="a body is removed"),
    ],
)
def test_an_attack_is_named_by_the_chain_and_its_macs(
    attack: Callable[[Trail], Trail], expected: list[tuple[str, int, int]]
) -> None:
    assert found(verify(attack(trail(10)))) == expected


def test_the_end_that_was_cut_off_is_known_by_the_head() -> None:
    entries = trail(10)
    findings = verify(entries[:7], head=head_after(entries[-1].sealed))
    assert found(findings) == [("truncated", 8, 10)]


def test_the_end_that_was_cut_off_with_its_head_is_known_by_the_anchor_only() -> None:
    entries = trail(10)
    head = head_after(entries[6].sealed)
    assert found(verify(entries[:7], head=head)) == []
    assert found(verify(entries[:7], head=head, roots=[signed(entries, 9)])) == [
        ("truncated", 8, 9),
        ("unsigned-tail", 1, 7),
    ]


def test_what_was_deleted_altogether_is_known_by_the_anchor() -> None:
    assert found(verify([], roots=[signed(trail(10), 10)])) == [("truncated", 1, 10)]


def test_an_old_backup_that_was_written_on_is_not_what_was_anchored() -> None:
    before = trail(6)
    anchored = [signed(before, 6), signed(trail(10, before=before), 10)]
    head = head_after(before[-1].sealed)
    other = SEALER.seal(entry(7, actor="bob"), head)
    restored = trail(
        12, before=[*before, StoredEntry(sealed=other, columns=columns_of(entry(7, actor="bob")))]
    )

    assert found(verify(restored, roots=anchored)) == [("rewritten", 7, 10), ("unsigned-tail", 7, 12)]


def test_whoever_has_the_key_still_cannot_rewrite_what_was_anchored() -> None:
    entries = trail(10)
    rewritten = trail(10, before=[StoredEntry(sealed=SEALER.seal(entry(99), empty_head(STREAM)), columns={})])

    assert found(verify(rewritten)) == []
    assert found(verify(rewritten, roots=[signed(entries, 4), signed(entries, 8)])) == [
        ("rewritten", 1, 4),
        ("unsigned-tail", 1, 10),
    ]


def test_a_head_that_stands_for_another_entry_is_a_fork() -> None:
    entries = trail(10)
    assert found(verify(entries, head=StreamHead(STREAM, 10, bytes(32)))) == [("forked", 10, 10)]
    assert found(verify(entries, head=head_after(entries[7].sealed))) == [("forked", 9, 10)]


def test_entries_after_the_last_anchor_are_counted_and_no_alarm() -> None:
    entries = trail(10)
    findings = verify(entries, roots=[signed(entries, 6)])
    assert found(findings) == [("unsigned-tail", 7, 10)]
    assert verdict_of(findings) is Verdict.INTACT


def test_without_a_key_the_tail_is_not_known() -> None:
    entries = trail(10)
    findings = verify(entries, keys={}, roots=[signed(entries, 6)])
    assert found(findings) == [("unknown-key", 7, 10), ("unsigned-tail", 7, 10)]
    assert verdict_of(findings) is Verdict.UNKNOWN


def test_without_a_key_the_chain_still_shows_an_edit_that_was_hashed_again() -> None:
    findings = verify(edit_and_rehash(edit_column(trail(10))), keys={})
    assert found(findings) == [("edited", 5, 5), ("unknown-key", 1, 10)]
    assert verdict_of(findings) is Verdict.TAMPERED


def test_bodies_that_a_checkpoint_covers_may_be_gone() -> None:
    entries = trail(10)
    archived = [StoredEntry(sealed=changed(each, body=None).sealed, columns={}) for each in entries[:6]]
    findings = verify([*archived, *entries[6:]], roots=[signed(entries, 6), signed(entries, 10)])
    assert found(findings) == []


def test_a_stored_checkpoint_shows_what_was_rewritten_as_well() -> None:
    entries = trail(10)
    other = trail(10, before=[StoredEntry(sealed=SEALER.seal(entry(99), empty_head(STREAM)), columns={})])
    assert found(verify(other, roots=[signed(entries, 5, is_anchored=False)])) == [("rewritten", 1, 5)]


def test_verification_goes_on_where_a_frontier_stopped() -> None:
    entries = trail(10)
    frontier = Frontier()
    for each in entries[:6]:
        frontier.append(each.sealed.leaf)
    verifier = StreamVerifier(
        STREAM,
        KEYS,
        [signed(entries, 6), signed(entries, 10)],
        frontier=frontier,
        previous=entries[5].sealed.leaf,
    )
    for each in entries[6:]:
        verifier.check(each)
    verifier.finish(None)
    assert verifier.findings == []


def test_thousands_of_wrong_entries_are_one_finding() -> None:
    entries = [changed(each, mac=bytes(32)) for each in trail(2000)]
    assert found(verify(entries)) == [("bad-mac", 1, 2000)]


@given(st.data())
def test_no_single_change_of_any_entry_is_overlooked(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    entries = trail(size)
    index = data.draw(st.integers(0, size - 1))
    sealed: SealedEntry = entries[index].sealed
    assert sealed.body is not None
    position = data.draw(st.integers(0, len(sealed.body) - 1))
    flipped = bytearray(sealed.body)
    flipped[position] ^= data.draw(st.integers(1, 255))
    body = bytes(flipped)
    wrong = data.draw(
        st.sampled_from(
            [
                {"body": body},
                {"body": body, "leaf": leaf_of(body)},
                {"leaf": bytes(32)},
                {"mac": mac_of(b"another key that somebody has", sealed.leaf)},
                {"seq": sealed.seq + size},
            ]
        )
    )
    tampered = [*entries[:index], changed(entries[index], **wrong), *entries[index + 1 :]]

    findings = verify(sorted(tampered, key=lambda each: each.sealed.seq), head=head_after(entries[-1].sealed))

    assert verdict_of(findings) is Verdict.TAMPERED
    assert min(each.seq for each in findings) <= index + 2
