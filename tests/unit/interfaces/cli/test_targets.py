"""What `module:name` finds, and what is said when it finds nothing to serve."""

import sys
from pathlib import Path

import pytest

from fastapi_easy.interfaces.cli.targets import load, load_app
from fastapi_easy.interfaces.cli.tasks import CommandError, Target

STALL = """
from fastapi import FastAPI

app = FastAPI()
number = 3


def make():
    return app


def make_number():
    return number


def make_with(setting):
    return app


def make_badly():
    return 1 / 0


async def plain(scope, receive, send):
    pass


class Wrapped:
    async def __call__(self, scope, receive, send):
        pass


class Place:
    inside = Wrapped()
"""
FILES = {
    "stall.py": STALL,
    "stall_broken.py": "def f():\n    raise LookupError('what')\n\nf()\n",
    "stall_unmet.py": "import there_is_no_such_package\n",
    "stall_unreadable.py": "def f(:\n",
    "stall_exits.py": "raise SystemExit(7)\n",
    "stall_declared.py": (
        "from fastapi_easy.domain.errors import DeclarationError\n"
        "raise DeclarationError(['books: mend it', 'pens: mend them'])\n"
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


def target(path: str, folder: Path) -> Target:
    return Target(path=path, folder=folder)


@pytest.mark.parametrize("path", ["stall:app", "stall:make", "stall:plain", "stall:Place.inside"])
def test_finds_apps_and_what_makes_them(folder, path):
    assert callable(load_app(target(path, folder)))


def test_calls_a_function_for_the_app(folder):
    assert load_app(target("stall:make", folder)) is load(target("stall:app", folder))


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        pytest.param("stall", "'stall' is not written as MODULE:NAME, like shop:app", id="no colon"),
        pytest.param(":app", "':app' is not written as MODULE:NAME, like shop:app", id="no module"),
        pytest.param("stall:", "'stall:' is not written as MODULE:NAME, like shop:app", id="no name"),
        pytest.param("stall.py", "'stall.py' names a file: write the module, stall:app", id="a file"),
        pytest.param(
            "in/stall.py:it", "'in/stall.py:it' names a file: write the module, in.stall:it", id="path"
        ),
        pytest.param("stall:aap", "stall has no 'aap': did you mean 'app'?", id="nearly the name"),
        pytest.param("stall:app.xyzzy", "stall.app has no 'xyzzy'", id="not an attribute"),
        pytest.param(
            "stall:make_number", "stall:make_number returned of type int, not a FastAPI app", id="int"
        ),
        pytest.param(
            "stall:make_with",
            "stall:make_with is a function that needs arguments: name one that needs none",
            id="arguments",
        ),
        pytest.param(
            "stall:make_badly",
            "stall:make_badly cannot be called: ZeroDivisionError: division by zero (stall.py, line 21)",
            id="function that fails",
        ),
        pytest.param(
            "stall_broken:app",
            "stall_broken cannot be imported: LookupError: what (stall_broken.py, line 2)",
            id="module that fails",
        ),
        pytest.param(
            "stall_unmet:app",
            "stall_unmet cannot be imported: ModuleNotFoundError: No module named 'there_is_no_such_package' "
            "(stall_unmet.py, line 1): install it, or correct its name",
            id="missing package",
        ),
        pytest.param(
            "stall_unreadable:app",
            "stall_unreadable cannot be imported: SyntaxError: invalid syntax (stall_unreadable.py, line 1)",
            id="syntax",
        ),
    ],
)
def test_says_in_a_sentence_why_there_is_no_app(folder, path, sentence):
    with pytest.raises(CommandError) as refused:
        load_app(target(path, folder))

    assert (refused.value.message, refused.value.exit_code) == (sentence, 2)


@pytest.mark.parametrize("path", ["stall:number", "stall:Wrapped"])
def test_says_how_an_app_is_made_when_something_else_is_named(folder, path):
    with pytest.raises(CommandError, match=r"not a FastAPI app .* `app = create_app\(Shop\(\)\)`"):
        load_app(target(path, folder))


def test_says_where_it_looked_for_a_module(folder):
    with pytest.raises(CommandError) as refused:
        load(target("nowhere_at_all:app", folder))

    assert str(folder) in refused.value.message
    assert "--app-dir" in refused.value.message


def test_hands_on_every_mistake_of_the_declarations(folder):
    with pytest.raises(CommandError) as refused:
        load(target("stall_declared:app", folder))

    assert refused.value.mistakes == ("books: mend it", "pens: mend them")
    assert refused.value.message.startswith("2 mistakes in the declarations:")


def test_a_program_that_exits_exits(folder):
    with pytest.raises(SystemExit):
        load(target("stall_exits:app", folder))
