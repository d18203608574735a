"""The page's modules that need no browser, in Node.js: tests/js/*.test.js."""

import re
import subprocess
from pathlib import Path

import pytest

from node import node

TESTS = sorted((Path(__file__).parents[1] / "js").glob("*.test.js"))
# node finds out by itself that the page's files are modules from 20.19 on
_OLDEST = (20, 19)
_DEADLINE_S = 120


@pytest.mark.parametrize("test", TESTS, ids=lambda path: path.name.removesuffix(".test.js"))
def test_modules_of_the_page_do_what_they_say(test: Path) -> None:
    program = node()
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    major, minor = map(int, version.removeprefix("v").split(".")[:2])
    if (major, minor) < _OLDEST:
        pytest.skip(f"Node.js {_OLDEST[0]}.{_OLDEST[1]} or newer is needed, this is {version}")
    done = subprocess.run(
        [program, "--test", "--test-reporter=tap", test],
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    count = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert count and int(count[1]) > 0, done.stdout
