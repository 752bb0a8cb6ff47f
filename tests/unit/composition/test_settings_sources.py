"""Where settings come from when the environment says nothing, or something under another name."""

from pathlib import Path

import pytest
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from fastapi_easy.settings import Settings


class Aliased(Settings):
    """With a field whose variable is called otherwise."""

    region: str = Field(default="nowhere", validation_alias="CLOUD_REGION")


class FromFile(Settings):
    """With a file of variables."""

    model_config = SettingsConfigDict(env_file="shop.env")


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FASTAPI_EASY_HTTP__PREFIX", "CLOUD_REGION"):
        monkeypatch.delenv(name, raising=False)


def test_a_field_with_a_name_of_its_own_is_read_without_any_variable_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLOUD_REGION", "north")

    assert Aliased().region == "north"


def test_variables_are_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("fastapi_easy_http__prefix", "/api")

    assert Settings().http.prefix == "/api"


def test_a_file_of_variables_is_read_where_a_subclass_names_it(tmp_path: Path) -> None:
    _ = (tmp_path / "shop.env").write_text("FASTAPI_EASY_HTTP__PREFIX=/api\n")

    assert FromFile().http.prefix == "/api"
    assert Settings().http.prefix == ""
