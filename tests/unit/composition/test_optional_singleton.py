"""A provider of a product that may be `None`."""

from typing import Any

from dependency_injector import providers

from fastapi_easy.composition.memoized import OptionalSingleton


def provider_of(*products: object) -> tuple[OptionalSingleton, list[Any]]:
    """A provider that makes *products* one after the other, and the arguments it was called with so far."""
    left, calls = list(products), list[Any]()

    def make(*args: object, **kwargs: object) -> object:
        calls.append((args, kwargs))
        return left.pop(0)

    return OptionalSingleton(make, providers.Object("url"), size=providers.Object(5)), calls


def test_none_is_made_once() -> None:
    provider, calls = provider_of(None)

    assert [provider(), provider(), provider()] == [None, None, None]
    assert calls == [(("url",), {"size": 5})]


def test_another_product_is_made_once() -> None:
    product = object()
    provider, calls = provider_of(product)

    assert provider() is provider() is product
    assert len(calls) == 1


def test_a_reset_makes_the_product_anew() -> None:
    product = object()
    provider, calls = provider_of(None, product)
    assert provider() is None

    _ = provider.reset()

    assert provider() is product
    assert calls == [(("url",), {"size": 5})] * 2


def test_an_override_counts_while_it_lasts() -> None:
    provider, _ = provider_of(None)
    assert provider() is None

    with provider.override(providers.Object("mine")):
        assert provider() == "mine"
    assert provider() is None


def test_a_copy_makes_its_own_product() -> None:
    provider, calls = provider_of(None, None)
    assert provider() is None

    copied = providers.deepcopy(provider)

    assert copied() is None
    assert calls == [(("url",), {"size": 5})] * 2


def test_its_representation_ends() -> None:
    provider, _ = provider_of(None)

    assert "OptionalSingleton" in repr(provider)
