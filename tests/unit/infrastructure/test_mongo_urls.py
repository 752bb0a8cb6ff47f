"""URLs → driver, server and database."""

import importlib.util

import pytest

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.persistence.mongo.driver.client import Client
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.url import resolve


@pytest.mark.parametrize(
    ("url", "driver", "plain", "database"),
    [
        ("mongodb://host/shop", "pymongo", "mongodb://host/shop", "shop"),
        ("mongodb://host", "pymongo", "mongodb://host", "fastapi_easy"),
        ("mongodb://host/", "pymongo", "mongodb://host/", "fastapi_easy"),
        ("mongodb://host/?replicaSet=rs0", "pymongo", "mongodb://host/?replicaSet=rs0", "fastapi_easy"),
        ("mongodb+srv://host/shop", "pymongo", "mongodb+srv://host/shop", "shop"),
        ("mongodb+pymongo://host/shop", "pymongo", "mongodb://host/shop", "shop"),
        ("mongodb+motor://host/shop", "motor", "mongodb://host/shop", "shop"),
        ("mongodb+srv+motor://host/shop", "motor", "mongodb+srv://host/shop", "shop"),
        ("mongodb+motor+srv://host/shop", "motor", "mongodb+srv://host/shop", "shop"),
        (
            "mongodb://u:p%40ss@a:1,b:2/my%20shop?w=1",
            "pymongo",
            "mongodb://u:p%40ss@a:1,b:2/my%20shop?w=1",
            "my shop",
        ),
    ],
)
def test_a_url_names_a_database_and_a_driver(url, driver, plain, database):
    address = resolve(url)

    assert (address.driver, address.url, address.database) == (driver, plain, database)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mongodb://", "cannot be read"),
        ("mongodb:host", "cannot be read"),
        ("mongodbs://host", "cannot be read"),
        ("mongodb+asyncpg://host", "the driver 'asyncpg' cannot be used with mongodb"),
    ],
)
def test_a_url_that_cannot_be_read_is_rejected(url, sentence):
    with pytest.raises(DeclarationError, match=sentence):
        resolve(url)


@pytest.mark.parametrize(("url", "extra"), [("mongodb://h", "mongo"), ("mongodb+motor://h", "motor")])
def test_a_driver_that_is_not_installed_is_named_with_its_extra(monkeypatch, url, extra):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(DeclarationError, match=rf'is not installed: pip install "fastapi_easy\[{extra}\]"'):
        resolve(url)


@pytest.mark.parametrize("url", ["mongodb://user:se/cret@host/shop", "mongodb://u:secret@host:port/"])
def test_the_error_for_a_url_the_driver_rejects_hides_the_password(url):
    with pytest.raises(DeclarationError) as raised:
        _ = Client(resolve(url), ConnectionOptions())

    assert "secret" not in str(raised.value)
    assert "se/cret" not in str(raised.value)


def test_an_address_does_not_show_its_password():
    assert "secret" not in repr(resolve("mongodb://user:secret@host/shop"))
