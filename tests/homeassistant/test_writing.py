"""The hours that our integration writes are there when it says so, in the recorder of the real Home Assistant."""

import shutil
import subprocess
from pathlib import Path

import pytest

from homeassistant import release
from homeassistant.release import Release, copy_ours

WRITING = Path(__file__).with_name("writing.py")
HOURS = 60


@pytest.mark.slow
@pytest.mark.parametrize("wanted", release.wanted(), ids=lambda wanted: wanted.version)
def test_every_hour_is_there_when_it_was_written(wanted: Release, tmp_path: Path) -> None:
    if reason := release.missing(wanted):
        pytest.skip(reason)
    release.install(wanted)
    # where a distribution of its own can see it
    place = wanted.root / "written" if wanted.root else tmp_path / "written"
    shutil.rmtree(place, ignore_errors=True)
    copy_ours(place)
    (place / "home").mkdir()
    seen, enter = (Path("/written"), ("chroot", wanted.root)) if wanted.root else (place, ())
    done = subprocess.run(
        [
            *(*enter, "env", f"PYTHONPATH={seen}", wanted.interpreter, "-c", WRITING.read_text()),
            *(seen / "home", str(HOURS)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, "not there: []\n"), done.stdout + done.stderr
