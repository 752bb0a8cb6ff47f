"""Sessions are written into texts that only who has a secret can write."""

import datetime
import uuid
from dataclasses import replace

import pytest
from itsdangerous import URLSafeSerializer

from fastapi_easy.domain.authentication.session import Session, SessionRules
from fastapi_easy.infrastructure.authentication.sessions.signed_codec import SignedSessionCodec

OLD, NEW = "o" * 32, "n" * 32
MOMENT = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)
SESSION = Session(
    id="s1",
    principal_id="user:42",
    roles=frozenset({"editor", "größe"}),
    tenant="acme",
    scopes=frozenset({"books:read"}),
    opened_at=MOMENT,
    renewed_at=MOMENT + datetime.timedelta(minutes=5),
)


@pytest.mark.parametrize(
    "session",
    [
        SESSION,
        Session(id="s", principal_id="p", opened_at=MOMENT, renewed_at=MOMENT),
        replace(SESSION, roles=frozenset(), tenant=None, scopes=frozenset()),
    ],
)
def test_a_session_is_read_as_it_was_written(session: Session) -> None:
    codec = SignedSessionCodec([NEW])

    assert codec.read(codec.write(session)) == session


def test_a_text_fits_into_a_cookie_without_quotes() -> None:
    text = SignedSessionCodec([NEW]).write(SESSION)

    assert all(each.isalnum() or each in "-_." for each in text)


@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_text_with_one_wrong_letter_is_nobodys(place: int) -> None:
    codec = SignedSessionCodec([NEW])
    letters = list(codec.write(SESSION))
    letters[place] = "A" if letters[place] != "A" else "B"

    assert codec.read("".join(letters)) is None


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "é.é", "x" * 5000])
def test_other_texts_are_nobodys(text: str) -> None:
    assert SignedSessionCodec([NEW]).read(text) is None


def test_a_text_that_was_signed_for_another_use_is_nobodys() -> None:
    for salt in ("itsdangerous", "fastapi_easy.session", "cookie"):
        text = URLSafeSerializer(NEW, salt=salt).dumps({"i": "s1", "p": "admin", "o": 0, "n": 0})
        assert SignedSessionCodec([NEW]).read(text) is None


def test_a_secret_is_replaced_in_two_steps() -> None:
    old, both, new = SignedSessionCodec([OLD]), SignedSessionCodec([NEW, OLD]), SignedSessionCodec([NEW])

    assert both.read(old.write(SESSION)) == SESSION
    assert new.read(both.write(SESSION)) == SESSION
    assert new.read(old.write(SESSION)) is None
    assert both.is_csrf_token(old.csrf_token("s1"), "s1")
    assert new.is_csrf_token(both.csrf_token("s1"), "s1")
    assert not new.is_csrf_token(old.csrf_token("s1"), "s1")


def test_a_token_belongs_to_one_session() -> None:
    codec = SignedSessionCodec([NEW])

    assert codec.is_csrf_token(codec.csrf_token("s1"), "s1")
    for wrong in (codec.csrf_token("s2"), "", "é", codec.csrf_token("s1")[:-1], "s1"):
        assert not codec.is_csrf_token(wrong, "s1")


def test_a_session_that_fits_into_no_cookie_is_a_defect_that_names_nobodys_secret() -> None:
    with pytest.raises(ValueError, match="fewer roles") as raised:
        _ = SignedSessionCodec([NEW]).write(
            replace(SESSION, roles=frozenset(uuid.uuid4().hex for _ in range(300)))
        )

    assert NEW not in str(raised.value)


RULES = SessionRules(lifetime=datetime.timedelta(hours=12), idle=datetime.timedelta(hours=1))


@pytest.mark.parametrize(
    ("renewed_after", "asked_after", "is_live"),
    [(0, 59, True), (0, 60, False), (50, 109, True), (50, 110, False), (715, 719, True), (719, 720, False)],
)
def test_a_session_ends_after_its_idle_time_and_after_its_lifetime_in_any_case(
    renewed_after: int, asked_after: int, is_live: bool
) -> None:
    session = replace(SESSION, renewed_at=MOMENT + datetime.timedelta(minutes=renewed_after))

    assert RULES.is_live(session, MOMENT + datetime.timedelta(minutes=asked_after)) is is_live
