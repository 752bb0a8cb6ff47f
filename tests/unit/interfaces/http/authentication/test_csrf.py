"""Where a request comes from, as its browser says."""

import pytest

from fastapi_easy.interfaces.http.authentication.csrf import OriginRule

RULE = OriginRule(("https://app.example",))


@pytest.mark.parametrize(
    ("headers", "is_permitted"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://shop.test"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://app.example"}, True),
        ({"origin": "https://shop.test"}, True),
        ({"origin": "http://SHOP.test"}, True),
        ({"origin": "https://shop.test:8443"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "https://shop.test.evil.example"}, False),
        ({"origin": "https://evil.example/shop.test"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "https://["}, False),
        ({"origin": "https://shop.test, https://evil.example"}, False),
        ({"sec-fetch-site": "same-origin, cross-site"}, False),
    ],
)
def test_only_pages_of_the_application_may_send_requests_that_change_something(
    headers: dict[str, str], is_permitted: bool
) -> None:
    given = {name.encode(): value.encode() for name, value in {"host": "shop.test", **headers}.items()}

    assert RULE.permits(given) is is_permitted


def test_without_a_host_no_origin_is_the_own_one() -> None:
    assert not OriginRule().permits({b"origin": b"https://"})
