"""A server whose clock a test can move: a library that is loaded before the others adds seconds to the time of day."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.obtain import RECIPES
from tests.services.service import Service
from tests.services.wanted import required

LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

static long long offset(void) {
    FILE *file = fopen(PLACE, "re");
    long long seconds = 0;
    if (file) { if (fscanf(file, "%lld", &seconds) != 1) seconds = 0; fclose(file); }
    return seconds;
}
int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(which, now);
    if (answer == 0 && which == CLOCK_REALTIME) now->tv_sec += offset();
    return answer;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    static int (*real)(struct timeval *, void *);
    if (!real) real = (int (*)(struct timeval *, void *)) dlsym(RTLD_NEXT, "gettimeofday");
    int answer = real(now, zone);
    if (answer == 0 && now) now->tv_sec += offset();
    return answer;
}
time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place) *place = now.tv_sec;
    return now.tv_sec;
}
"""


@contextlib.contextmanager
def movable_clock() -> Iterator[tuple[Path, Callable[[int], None]]]:
    """The library that moves the time of day of whatever is started with it, and what moves it."""
    compiler = shutil.which("cc")
    if compiler is None:
        # No server that the project could bring up: a machine may have nothing but Python, pip and make.
        pytest.skip("Needs a C compiler.")
    folder = Path(tempfile.mkdtemp(prefix="fastapi-easy-clock-"))
    # The server may run as somebody else.
    folder.chmod(0o755)
    offset, library = folder / "offset", folder / "clock.so"
    (folder / "clock.c").write_text(LIBRARY)
    command = [compiler, "-shared", "-fPIC", f'-DPLACE="{offset}"', "-o", str(library)]
    command += [str(folder / "clock.c"), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)

    def move(seconds: int) -> None:
        written = folder / "next"
        written.write_text(str(seconds))
        written.chmod(0o644)
        written.replace(offset)

    move(0)
    try:
        yield library, move
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def moving_server(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Service, Callable[[int], None]]]:
    """A server of the kind *name*, and what moves its clock: to so many seconds after the true time."""
    recipe = RECIPES[name]
    program = recipe.locate()
    if program is None:
        (pytest.fail if required() else pytest.skip)(f"Needs a program of {name} to start.")
    with movable_clock() as (library, move):
        with monkeypatch.context() as patched:
            patched.setenv("LD_PRELOAD", str(library))
            service = recipe.start(program)
        try:
            yield service, move
        finally:
            service.stop()
