"""What every store of webhooks promises."""

import asyncio
import datetime
import uuid
from dataclasses import replace
from typing import Any, Final

import pytest
from returns.result import Failure

from fastapi_easy.domain.errors import AlreadyExists
from fastapi_easy.domain.ports.webhook_store import ClaimedWebhook, Webhook, WebhookStore
from fastapi_easy.testing.conformance.store import value_of

_MOMENT: Final = datetime.datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=datetime.UTC)
_LONG: Final = 600.0
"""Seconds that no test takes."""


def _webhook(name: str = "a", *, minutes: int = 0, **others: Any) -> Webhook:
    defaults: dict[str, Any] = {
        "id": f"wh_{name}",
        "url": f"https://hooks.example/{name}",
        "secrets": ("whsec_one",),
        "position": 0,
        "created_at": _MOMENT + datetime.timedelta(minutes=minutes),
    }
    return Webhook(**{**defaults, **others})


async def _claim(webhooks: WebhookStore, last_position: int = 10, lease: float = _LONG) -> ClaimedWebhook:
    claimed = value_of(await webhooks.claim(last_position, lease))
    assert claimed is not None
    return claimed


async def _only(webhooks: WebhookStore) -> Webhook:
    (found,) = value_of(await webhooks.find_all())
    return found


class WebhookStoreConformance:
    """The suite of `WebhookStore`: subclass it, and override `webhooks` with a fixture that returns an empty store."""

    @pytest.fixture
    def webhooks(self) -> WebhookStore:
        """The store under test."""
        raise NotImplementedError

    async def test_webhooks_are_listed_as_they_were_stored(self, webhooks: WebhookStore) -> None:
        """In the order in which they were added, with their lists and what is absent."""
        second = _webhook("b", minutes=1)
        first = _webhook(
            "c",
            url="https://hooks.example/?q=Gr%C3%B6%C3%9Fe",
            events=("books.created", "books.*"),
            tenant="acme ÄÖ",
            secrets=("fe1:k1:abc", "whsec_two"),
            position=2**40,
            disabled=True,
        )
        assert not value_of(await webhooks.prepare())

        value_of(await webhooks.add(second))
        value_of(await webhooks.add(first))

        assert list(value_of(await webhooks.find_all())) == [first, second]

    async def test_an_id_belongs_to_one_webhook(self, webhooks: WebhookStore) -> None:
        """The second one is refused, and changes nothing."""
        value_of(await webhooks.add(_webhook()))

        again = await webhooks.add(_webhook(url="https://other.example/"))

        assert isinstance(again, Failure)
        assert isinstance(again.failure(), AlreadyExists)
        assert await _only(webhooks) == _webhook()

    async def test_secrets_are_replaced_as_long_as_they_are_what_was_read(
        self, webhooks: WebhookStore
    ) -> None:
        """And nothing else is: neither the position nor the attempts, nor who has claimed it."""
        value_of(await webhooks.add(_webhook(secrets=("whsec_one", "whsec_two"))))
        claim = await _claim(webhooks)
        assert value_of(await webhooks.advance(claim, 4))
        before = await _only(webhooks)

        refused = await webhooks.replace_secrets(before.id, ("whsec_one",), ("fe1:k1:abc",))
        absent = await webhooks.replace_secrets("wh_none", before.secrets, ("fe1:k1:abc",))
        replaced = await webhooks.replace_secrets(before.id, before.secrets, ("fe1:k1:abc", "fe1:k1:def"))

        assert [value_of(each) for each in (refused, absent, replaced)] == [False, False, True]
        assert await _only(webhooks) == replace(before, secrets=("fe1:k1:abc", "fe1:k1:def"))
        assert value_of(await webhooks.advance(claim, 5))

    async def test_a_change_leaves_the_position_and_forgets_attempts(self, webhooks: WebhookStore) -> None:
        """What a relay does meanwhile is not undone."""
        value_of(await webhooks.add(_webhook()))
        stale = await _only(webhooks)
        claim = await _claim(webhooks)
        assert value_of(await webhooks.advance(claim, 4))
        assert value_of(await webhooks.retry_later(claim, _LONG, "HTTP 500", disable=True))

        changed = replace(stale, events=("books.*",), secrets=("whsec_new", "whsec_one"))
        assert value_of(await webhooks.change(changed))
        assert value_of(await webhooks.change(changed)), "the same once more is a change too"

        assert await _only(webhooks) == replace(changed, position=4)
        assert (await _claim(webhooks)).webhook.position == 4

    async def test_what_is_not_there_is_neither_changed_nor_removed(self, webhooks: WebhookStore) -> None:
        """Both say so."""
        assert not value_of(await webhooks.change(_webhook()))
        assert not value_of(await webhooks.remove("wh_a"))
        value_of(await webhooks.add(_webhook()))

        assert value_of(await webhooks.remove("wh_a"))
        assert not value_of(await webhooks.find_all())

    async def test_only_what_is_behind_enabled_and_due_is_claimed(self, webhooks: WebhookStore) -> None:
        """All others are left alone."""
        value_of(await webhooks.add(_webhook("done", position=10)))
        value_of(await webhooks.add(_webhook("off", disabled=True)))
        value_of(await webhooks.add(_webhook("failing")))
        failing = await _claim(webhooks)
        assert value_of(await webhooks.retry_later(failing, _LONG, "HTTP 500", disable=False))

        assert value_of(await webhooks.claim(10, _LONG)) is None
        assert (await _claim(webhooks, 11)).webhook.id == "wh_done"

    async def test_one_process_delivers_at_a_time(self, webhooks: WebhookStore) -> None:
        """Of many that ask at once, each gets another webhook."""
        for name in "abc":
            value_of(await webhooks.add(_webhook(name)))

        answers = await asyncio.gather(*(webhooks.claim(10, _LONG) for _ in range(6)))
        claimed = [each.webhook.id for each in map(value_of, answers) if each is not None]
        while (further := value_of(await webhooks.claim(10, _LONG))) is not None:
            claimed.append(further.webhook.id)

        assert sorted(claimed) == ["wh_a", "wh_b", "wh_c"]

    async def test_an_expired_claim_is_taken_over(self, webhooks: WebhookStore) -> None:
        """Whoever had it can do nothing any more."""
        value_of(await webhooks.add(_webhook()))
        late = await _claim(webhooks, lease=0.0)
        current = await _claim(webhooks)
        assert current.claim != late.claim

        assert not value_of(await webhooks.advance(late, 9))
        assert not value_of(await webhooks.retry_later(late, 0.0, "late", disable=True))
        value_of(await webhooks.release(late))

        assert await _only(webhooks) == _webhook()
        assert value_of(await webhooks.claim(10, _LONG)) is None
        assert value_of(await webhooks.advance(current, 3))

    async def test_an_unknown_claim_holds_nothing(self, webhooks: WebhookStore) -> None:
        """Also when nobody has claimed the webhook."""
        value_of(await webhooks.add(_webhook()))
        unknown = ClaimedWebhook(webhook=_webhook(), claim=uuid.uuid4())

        assert not value_of(await webhooks.advance(unknown, 9))
        assert not value_of(await webhooks.retry_later(unknown, 0.0, "no", disable=False))

    async def test_progress_is_kept_and_forgets_attempts(self, webhooks: WebhookStore) -> None:
        """The claim lasts until it is given back."""
        value_of(await webhooks.add(_webhook()))
        failed = await _claim(webhooks)
        assert value_of(await webhooks.retry_later(failed, 0.0, "$name: HTTP 500", disable=False))
        after_failure = await _only(webhooks)
        assert (after_failure.attempts, after_failure.error) == (1, "$name: HTTP 500")
        assert after_failure.retry_at is not None
        claim = await _claim(webhooks)
        assert claim.webhook.attempts == 1

        assert value_of(await webhooks.advance(claim, 5))
        assert value_of(await webhooks.advance(claim, 7))

        assert await _only(webhooks) == _webhook(position=7)
        assert value_of(await webhooks.claim(10, _LONG)) is None
        value_of(await webhooks.release(claim))
        assert (await _claim(webhooks)).webhook.position == 7

    async def test_a_failure_can_disable(self, webhooks: WebhookStore) -> None:
        """Until an operator enables it again, and then from where it was."""
        value_of(await webhooks.add(_webhook(position=3)))
        assert value_of(await webhooks.retry_later(await _claim(webhooks), 0.0, "HTTP 410", disable=True))
        disabled = await _only(webhooks)
        assert disabled.disabled
        assert value_of(await webhooks.claim(10, _LONG)) is None

        assert value_of(await webhooks.change(replace(disabled, disabled=False)))

        assert (await _claim(webhooks)).webhook == _webhook(position=3)

    async def test_an_operator_who_disables_stops_a_delivery(self, webhooks: WebhookStore) -> None:
        """Its relay learns so with the next step."""
        value_of(await webhooks.add(_webhook()))
        claim = await _claim(webhooks)

        assert value_of(await webhooks.change(_webhook(disabled=True)))

        assert not value_of(await webhooks.advance(claim, 5))
        assert (await _only(webhooks)).disabled

    async def test_webhooks_take_turns(self, webhooks: WebhookStore) -> None:
        """The one whose last claim is the longest ago comes first."""
        for name in "ab":
            value_of(await webhooks.add(_webhook(name)))
        seen = []
        for _ in range(4):
            claim = await _claim(webhooks)
            seen.append(claim.webhook.id)
            value_of(await webhooks.release(claim))
            # Clocks of servers count milliseconds.
            await asyncio.sleep(0.005)

        assert seen[0] != seen[1]
        assert seen[:2] == seen[2:]
