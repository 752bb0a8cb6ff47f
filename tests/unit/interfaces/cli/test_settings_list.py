"""Where a setting comes from, and what of it is shown."""

import pytest
from pydantic import SecretStr

from fastapi_easy.interfaces.cli.settings_list import mask_url, settings_of
from fastapi_easy.interfaces.cli.tasks import Setting

PREFIX = "FASTAPI_EASY_"
VALUES = {
    "databases": {"default": {"url": SecretStr("postgresql://me:pw@host/shop"), "pool_size": 10}},
    "secret": SecretStr("hush"),
    "http": {"docs": True, "ready_requires": ("a", "b"), "cors": {"origins": ()}},
    "resources": {},
}


def sources(values=VALUES, read=VALUES, environment=(), file=()):
    found = settings_of(values, read, environment=dict(environment), file=dict(file), prefix=PREFIX)
    return {each.name: each.source for each in found}


def test_shows_values_for_people_and_masks_secrets():
    found = settings_of(VALUES, VALUES, environment={}, file={}, prefix=PREFIX)

    assert found == [
        Setting("databases.default.url", "postgresql://me:***@host/shop", "default"),
        Setting("databases.default.pool_size", "10", "default"),
        Setting("secret", "***", "default"),
        Setting("http.docs", "yes", "default"),
        Setting("http.ready_requires", "a, b", "default"),
        Setting("http.cors.origins", "none", "default"),
    ]


@pytest.mark.parametrize(
    ("environment", "file", "name", "source"),
    [
        pytest.param({}, {}, "http.docs", "default", id="nowhere"),
        pytest.param({"FASTAPI_EASY_HTTP__DOCS": "1"}, {}, "http.docs", "environment", id="variable"),
        pytest.param({"fastapi_easy_http__docs": "1"}, {}, "http.docs", "environment", id="small letters"),
        pytest.param({"FASTAPI_EASY_HTTP": '{"docs": true}'}, {}, "http.docs", "environment", id="branch"),
        pytest.param({"FASTAPI_EASY_HTTP": '{"title": "x"}'}, {}, "http.docs", "default", id="other leaf"),
        pytest.param({}, {"http": {"docs": True}}, "http.docs", "file", id="file"),
        pytest.param(
            {"FASTAPI_EASY_HTTP__DOCS": "1"}, {"http": {"docs": False}}, "http.docs", "environment", id="both"
        ),
        pytest.param({"OTHER_HTTP__DOCS": "1"}, {}, "http.docs", "default", id="another's variable"),
    ],
)
def test_names_the_source(environment, file, name, source):
    assert sources(environment=environment, file=file)[name] == source


def test_what_differs_from_what_was_read_was_set_in_code():
    read = {**VALUES, "http": {"docs": False}}

    assert sources(read=read)["http.docs"] == "code"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("sqlite:///app.sqlite3", "sqlite:///app.sqlite3", id="file"),
        pytest.param("sqlite:////var/app.sqlite3", "sqlite:////var/app.sqlite3", id="absolute file"),
        pytest.param("memory://", "memory://", id="memory"),
        pytest.param("mysql://me@host:3306/x", "mysql://me@host:3306/x", id="no password"),
        pytest.param("mysql://me:p@ss:w/ord@host/x", "***", id="password that is not encoded"),
        pytest.param("postgresql://h/x?password=pw", "postgresql://h/x?***", id="password in the query"),
        pytest.param("postgresql://[h/x", "***", id="not a URL"),
        pytest.param("me:pw", "***", id="no slashes"),
    ],
)
def test_masks_passwords_in_urls(url, shown):
    assert mask_url(url) == shown
