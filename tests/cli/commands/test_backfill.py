"""`homeassistant backfill` with wrong arguments, and without a Home Assistant; test_missing_hours.py has a real one."""

from pathlib import Path

import pytest

from command import Run
from homeassistant.talking import running, talking
from running import free_port


def sentence(run: Run, *arguments: object, **variables: str) -> str:
    """The one sentence of status 2."""
    done = run("homeassistant", "backfill", *arguments, **variables)
    assert (done.returncode, done.stdout) == (2, ""), done
    (line,) = done.stderr.splitlines()
    return line.removeprefix("iskra-server: ")


@pytest.mark.slow
def test_what_is_missing_or_wrong_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "empty").write_text("")
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert sentence(run).startswith("Give the address of Home Assistant")
    assert sentence(run, "--url", "homeassistant.local").startswith("'homeassistant.local' is not the address")
    assert sentence(run, "--url", nowhere).startswith("Give a file with a long-lived access token")
    assert sentence(run, "--url", nowhere, "--token-file", "none").startswith("none cannot be used")
    assert sentence(run, "--url", nowhere, "--token-file", "empty").startswith("empty does not hold a token")
    assert "cannot be reached" in sentence(run, "--url", nowhere, "--token-file", "token")
    # the app has no right to use Home Assistant's own API
    assert sentence(run, SUPERVISOR_TOKEN="secret").startswith("Give the address of Home Assistant")
    period = sentence(run, "--url", nowhere, "--token-file", "token", "--from", "yesteryear")
    assert period.startswith("'yesteryear' is not a period")
    assert "cannot be used" in sentence(
        run, "--url", nowhere.replace("http", "https"), "--token-file", "token", "--ca-file", "none"
    )


def test_a_home_assistant_without_our_sensors_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    with talking(running) as url:
        given = ("--url", url, "--token-file", "token")
        done = run("homeassistant", "backfill", *given)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "has no statistics of a sensor of this server" in done.stderr
        assert sentence(run, *given, "--entity", "sensor.x") == "Home Assistant has no statistics of sensor.x."
        assert sentence(run, *given, "--undo", "token").startswith("token is not an undo file")
