"""Everything the documentation shows is run, read or followed."""

import json
import re
import shlex
import textwrap
import tomllib

import pytest
import yaml

from tests.docs.pages import DOCS, PAGES, ROOT, anchors_of, blocks_of, links_of, name_of
from tests.docs.running import run_page
from tests.docs.tutorial import curl, follow, printed_by, serving
from tests.services.wanted import empty_database

TUTORIAL = [DOCS / "tutorial" / "first-shop.md", DOCS / "tutorial" / "growing-shop.md"]
EDITS = DOCS / "how-to" / "migrate-a-database.md"
GIVEN = {
    "docs/explanation/architecture.md": """
        from dependency_injector import providers
        from examples.bookshop.shop import Bookshop
        from fastapi_easy.testing import FailingRepository, in_memory

        shop = in_memory(Bookshop)
    """,
    "docs/how-to/log-in-with-an-identity-provider.md": """
        import os
        from tests.identity_provider import IdentityProvider

        provider = IdentityProvider()
        provider.start()
        os.environ["FASTAPI_EASY_AUTHENTICATION__JWT__ISSUER"] = provider.issuer

        def log_in(name, roles):
            return provider.token(name, realm_access={"roles": roles})
    """,
    "docs/how-to/protect-the-shop.md": """
        import os
        from tests.identity_provider import IdentityProvider

        provider = IdentityProvider()
        provider.start()
        os.environ["FASTAPI_EASY_AUTHENTICATION__JWT__ISSUER"] = provider.issuer

        def log_in(name, role, organisation):
            return provider.token(name, realm_access={"roles": [role]}, org=organisation)
    """,
}
"""What a page takes for granted that does not show how an application is made."""

NOT_RUN = ["docs/how-to/log-in-with-sessions.md"]
"""The pages with a Python block that is not run, once for each; the reason stands before the block."""

WITH_PYTHON = [each for each in PAGES if blocks_of(each, "python") and each not in {*TUTORIAL, EDITS}]
README = ROOT / "README.md"
ADAPTER = DOCS / "how-to" / "write-an-adapter.md"
MONGO = DOCS / "how-to" / "use-mongodb.md"
CHOSEN = "FASTAPI_EASY_DATABASES__DEFAULT__URL"
STRICT = ("-W", "error", "-o", "asyncio_default_fixture_loop_scope=function", "-p", "no:cacheprovider")


@pytest.mark.parametrize("page", [each for each in WITH_PYTHON if each != MONGO], ids=name_of)
def test_the_python_of_a_page_runs_and_prints_what_it_shows(page, tmp_path):
    run_page(page, tmp_path, textwrap.dedent(GIVEN.get(name_of(page), "")))


def test_the_page_about_mongodb_runs_on_a_real_server(tmp_path):
    with empty_database("mongo") as url:
        run_page(MONGO, tmp_path, f"import os; os.environ[{CHOSEN!r}] = {url!r}")


def test_the_suites_pass_on_the_adapter_that_is_shown(tmp_path):
    files = [each for each in blocks_of(ADAPTER, "python") if each.file]
    for each in files:
        (tmp_path / each.file).write_text(each.text)

    printed = printed_by(["python", "-m", "pytest", "-q", files[-1].file, *STRICT], tmp_path)

    assert re.search(r"^\d{3,} passed(, \d+ skipped)? in .*$", printed, re.MULTILINE), printed
    assert "failed" not in printed


def test_the_tutorial_can_be_followed_from_an_empty_folder_to_its_end(tmp_path):
    follow(TUTORIAL, tmp_path)


def test_the_three_edits_of_a_database_can_be_followed(tmp_path):
    follow([EDITS], tmp_path)


def test_every_page_of_the_tutorial_is_followed():
    assert sorted(TUTORIAL) == sorted((DOCS / "tutorial").glob("*.md"))


def test_the_commands_of_the_readme_are_answered_as_its_comments_say(tmp_path):
    program, *_ = (each for each in blocks_of(README, "python") if each.file)
    (commands,) = (each for each in blocks_of(README, "sh") if each.text.startswith("curl"))
    (tmp_path / "shop.py").write_text(program.text)
    said = [_said(line) for line in _joined(commands.text)]

    with serving(tmp_path, ["shop:app"]) as server:
        answered = [curl(["-i", *words], server.port) for words, _ in said]

    assert [answer.split()[1] for answer in answered] == [status for _, status in said]


def _joined(text: str) -> list[str]:
    """The commands of *text*, each with the comment on its own line or the next."""
    return text.replace("\n#", " #").splitlines()


def _said(line: str) -> tuple[list[str], str]:
    """The words behind `curl`, and the status that the comment tells of, or 200."""
    status = re.search(r"# (\d{3})\b", line)
    return shlex.split(line, comments=True)[1:], status[1] if status else "200"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_written_in_another_language_can_be_read(page):
    for block in blocks_of(page, "toml"):
        tomllib.loads(block.text)
    for block in blocks_of(page, "yaml"):
        yaml.safe_load(block.text)
    for block in blocks_of(page, "json"):
        if "…" not in block.text:
            [
                json.loads(line)
                for line in ([block.text] if block.text.startswith("{\n") else block.text.splitlines())
            ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page):
    broken = []
    for link in links_of(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert broken == []


def test_every_page_is_reached_from_the_index():
    index = DOCS / "README.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in links_of(index)}
    decisions = set((DOCS / "adr").glob("0*.md"))

    assert set(DOCS.rglob("*.md")) - decisions - {index} <= reached


def test_what_is_not_run_is_listed_with_a_reason():
    skipped = [each for page in PAGES for each in blocks_of(page, "python") if not each.is_run]

    assert [name_of(each.page) for each in skipped] == NOT_RUN
    assert [each.place for each in skipped if not each.reason] == []
    assert len(NOT_RUN) <= 5


@pytest.mark.parametrize(
    "page", [each for each in DOCS.rglob("*.md") if each.parent.name != "adr"], ids=name_of
)
def test_a_page_is_short_enough_to_be_read(page):
    lines = page.read_text().splitlines()
    prose = [each for each in lines if not each.startswith(("|", "{", "- ["))]

    # Tables and lists of links are looked up, not read.
    assert len(prose) <= 130
    assert [each for each in prose if len(each) > 118] == []
