"""Files beside a program that look like settings, and are not read."""

from pathlib import Path
from typing import Final

from fastapi_easy.settings.reading.sources import PREFIX, SETTINGS_FILE

_DOTENV: Final = ".env"
_STEM: Final = "fastapieasy"
_FORMS: Final = frozenset({".toml", ".tml", ".yaml", ".yml", ".json", ".ini", ".cfg"})


def find_unread_files(folder: Path = Path()) -> list[str]:
    """Return a sentence for each file in *folder* that is named as settings are, and not read."""
    found = []
    for each in sorted(folder.iterdir()):
        stem = each.stem.lower().translate({ord("-"): None, ord("_"): None, ord("."): None})
        if stem == _STEM and each.suffix.lower() in _FORMS and each.name != SETTINGS_FILE and each.is_file():
            found.append(f"{each.name} is not read: the file of settings is called {SETTINGS_FILE}")
    if _sets_anything(folder / _DOTENV):
        found.append(
            f"{_DOTENV} is not read: put its settings into the environment, in a shell with "
            f"`set -a; . ./{_DOTENV}; set +a`, or write them to {SETTINGS_FILE}"
        )
    return found


def _sets_anything(dotenv: Path) -> bool:
    """Return whether *dotenv* is a file with a setting of ours in it."""
    try:
        lines = dotenv.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(each.strip().removeprefix("export ").upper().startswith(PREFIX) for each in lines)
