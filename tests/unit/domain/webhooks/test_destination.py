"""Webhooks lead to public addresses only."""

import ipaddress

import pytest

from fastapi_easy.domain.webhooks.addresses import is_allowed, read_address
from fastapi_easy.domain.webhooks.destination import DestinationRules

INTERNAL = [
    "0.0.0.0",  # noqa: S104 (nothing is bound)
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", INTERNAL)
def test_what_is_not_public_is_refused(text: str) -> None:
    address = read_address(text)
    assert address is not None

    assert not is_allowed(address)


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::1"]
)
def test_what_is_public_is_allowed(text: str) -> None:
    address = read_address(text)
    assert address is not None

    assert is_allowed(address)


def test_exceptions_are_allowed_and_nothing_beside_them() -> None:
    exceptions = (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8"))

    assert is_allowed(ipaddress.ip_address("10.1.2.3"), exceptions)
    assert is_allowed(ipaddress.ip_address("fd12::1"), exceptions)
    assert not is_allowed(ipaddress.ip_address("10.2.2.3"), exceptions)
    assert not is_allowed(ipaddress.ip_address("::ffff:10.1.2.3"), exceptions)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example",
        "https://hooks.example/a/b?c=d%20e",
        "https://hooks.example:443/",
        "https://hooks.example:8443/",
        "https://xn--bcher-kva.example/",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]/",
    ],
)
def test_where_a_webhook_may_lead(url: str) -> None:
    assert DestinationRules(ports=(8443,)).find_mistake(url) is None


@pytest.mark.parametrize(
    ("url", "mistake"),
    [
        ("http://hooks.example/", "begin with https://"),
        ("ftp://hooks.example/", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("hooks.example/", "begin with https://"),
        ("https://", "name a host"),
        ("https:///path", "name a host"),
        ("https://user@hooks.example/", "no credentials"),
        ("https://user:word@hooks.example/", "no credentials"),
        ("https://@hooks.example/", "no credentials"),
        ("https://hooks.example/#part", "no fragment"),
        ("https://hooks.example/#", "no fragment"),
        ("https://hooks.example:22/", "one of the ports 443"),
        ("https://hooks.example:0/", "one of the ports 443"),
        ("https://hooks.example:80/", "one of the ports 443"),
        ("https://hooks.example:99999/", "a URL like"),
        ("https://hooks.example:x/", "a URL like"),
        ("https://[::1/", "a URL like"),
        ("https://127.0.0.1/", "public address"),
        ("https://[::1]/", "public address"),
        ("https://[::ffff:127.0.0.1]/", "public address"),
        ("https://169.254.169.254/latest/meta-data", "public address"),
        ("https://bücher.example/", "printable ASCII"),
        ("https://hooks.example/a b", "printable ASCII"),
        ("https://hooks.example\\@127.0.0.1/", "printable ASCII"),
        ("https://hooks.example/\r\nx: y", "printable ASCII"),
        ("https://hooks.example/" + "a" * 2000, "at most 2000"),
        ("", "printable ASCII"),
    ],
)
def test_where_it_may_not(url: str, mistake: str) -> None:
    found = DestinationRules().find_mistake(url)

    assert found is not None
    assert mistake in found


def test_http_is_allowed_for_tests_only() -> None:
    rules = DestinationRules(allow_http=True, networks=(ipaddress.ip_network("127.0.0.0/8"),))

    assert rules.find_mistake("http://127.0.0.1/") is None
    assert rules.find_mistake("http://hooks.example:80/") is None
    assert rules.find_mistake("http://hooks.example:8080/") is not None
    assert rules.find_mistake("http://[::1]/") is not None
