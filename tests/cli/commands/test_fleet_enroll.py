"""What `fleet enroll` prints, and what it refuses; tests/fleet/test_enroll.py connects such a reader."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from command import Run

BROKER = ("--broker", "mqtts://central.example:8883")


def test_it_prints_the_section_and_the_command_for_the_broker(call: Run) -> None:
    done = call("fleet", "enroll", "house-7", *BROKER)
    assert done.returncode == 0
    section = tomllib.loads(done.stdout[done.stdout.index("[uplink]") : done.stdout.index("The password is shown")])
    password = section["uplink"].pop("password")
    assert section["uplink"] == {"url": "mqtts://house-7@central.example:8883", "reader": "house-7"}
    assert f"mosquitto_passwd -b /mosquitto/accounts/passwords house-7 {password} &&" in done.stdout


def test_the_command_for_the_broker_changes_no_account_that_is_there(call: Run, tmp_path: Path) -> None:
    """Another reader that has this name would be locked out."""
    if not shutil.which("mosquitto_passwd"):
        pytest.skip("mosquitto_passwd is not installed (deploy/debian-test-packages.txt)")
    file = tmp_path / "passwords"
    file.write_text("house-17:x\nhouse-7x:y\n")

    def run(*more: str) -> str:
        printed = call("fleet", "enroll", "house.7", *BROKER, *more).stdout
        found = re.search(r"sh -c \\\n  '(.*)'", printed)
        assert found
        command = found[1].replace("/mosquitto/accounts/passwords", str(file)).replace("kill -HUP 1", "echo reloaded")
        return subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True).stdout

    assert run() == "reloaded\n"
    accounts = file.read_text()
    assert accounts.count("\nhouse.7:") == 1
    assert run() == "house.7 has an account; choose another name, or --replace\n"
    assert file.read_text() == accounts
    assert run("--replace") == "reloaded\n"
    assert file.read_text() != accounts


def test_with_a_password_file_it_adds_the_account_itself_once(call: Run, tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.touch()
    done = call("fleet", "enroll", "house-7", *BROKER, "--passwords", file)
    assert (done.returncode, "mosquitto_passwd" in done.stdout) == (0, False)
    first = file.read_text()
    again = call("fleet", "enroll", "house-7", *BROKER, "--passwords", file)
    assert (again.returncode, file.read_text()) == (1, first)
    assert "--replace" in again.stderr
    assert call("fleet", "enroll", "house-7", *BROKER, "--passwords", file, "--replace").returncode == 0
    assert file.read_text().count("\n") == 1
    assert file.read_text() != first


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("house 7", *BROKER), "'house 7' cannot be the name of a reader; choose letters, digits, - and ."),
        (("a/b", *BROKER), "'a/b' cannot be the name of a reader; choose letters, digits, - and ."),
        (("x:$7$", *BROKER), "'x:$7$' cannot be the name of a reader; choose letters, digits, - and ."),
        (("collector", *BROKER), "collector is the account of the collectors at the broker; choose another name"),
        (("a", "--broker", "http://x"), "'http://x' is no address of a broker"),
        (("a", "--broker", "mqtt://b@x"), "Leave the user out of --broker"),
        (("a", *BROKER, "--passwords", "none"), "none cannot be changed: No such file or directory."),
        (("a", *BROKER, "--ca-key", "k"), "A certificate needs --ca-cert too"),
        (("a", *BROKER, "--ca-key", "k", "--passwords", "p"), "A reader has a certificate or a password"),
        (("a", "--broker", "mqtt://x", "--ca-key", "k", "--ca-cert", "c"), "A certificate needs TLS"),
        (("a", *BROKER, "--ca-key", "k", "--ca-cert", "c"), "c cannot be used: No such file or directory."),
    ],
)
def test_a_mistake_is_one_sentence(call: Run, arguments: tuple[str, ...], sentence: str) -> None:
    done = call("fleet", "enroll", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"iskra-server: {sentence}")
    assert done.stderr.count("\n") == 1
