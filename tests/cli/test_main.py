"""The command line as a whole: help that teaches, completion, and how it ends."""

import os
import subprocess

import pytest
from typer.testing import CliRunner

from command import COMMAND, OnTerminal, Run
from iskra_server import __version__
from iskra_server.cli import COMMANDS, FLEET, app
from iskra_server.simulator.profiles import PROFILES


def test_help_lists_every_command_with_its_summary(run: Run) -> None:
    done = run("--help", COLUMNS="100")
    assert done.returncode == 0
    for name, summary in COMMANDS.items():
        assert f" {name} " in done.stdout
        assert summary in done.stdout


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "version"])
def test_help_of_a_command_begins_with_its_summary_and_ends_with_examples(name: str) -> None:
    done = CliRunner(env={"COLUMNS": "80"}).invoke(app, [name, "--help"])
    assert done.exit_code == 0
    assert COMMANDS[name].rstrip(".") in " ".join(done.output.split())
    lines = [line.strip() for line in done.output.splitlines()]
    end = lines[lines.index("Examples") + 1 :]
    examples = end[: end.index("")]
    assert examples
    for line in examples:
        assert line.startswith(("iskra-server ", "od ")), f"{line!r}: an example does not fit into 80 columns"


@pytest.mark.parametrize("name", ["demo", "simulate"])
def test_the_help_lists_every_simulated_meter_in_a_line_of_its_own(name: str) -> None:
    lines = CliRunner(env={"COLUMNS": "80"}).invoke(app, [name, "--help"]).output.splitlines()
    shown = [line.strip().partition(" ") for line in lines]
    for model in PROFILES.values():
        name = model.name.removesuffix("-encrypted")
        assert (name, PROFILES[name].summary) in [(first, rest.strip()) for first, _, rest in shown]


def test_commands_of_a_central_server_have_a_panel_of_their_own(run: Run) -> None:
    household, fleet = run("--help").stdout.split("Many meters")
    assert all(name in fleet and f"\n│ {name}" not in household for name in FLEET)


def test_help_shows_a_default_as_it_is_and_no_type_of_a_text(run: Run) -> None:
    shown = run("serve", "--help").stdout
    assert "[default: 8080]" in shown
    assert "[default: auto]" in shown
    assert "<str>" not in shown


def test_without_a_command_it_shows_the_help_as_wrong_usage(run: Run) -> None:
    done = run()
    assert done.returncode == 2
    assert "homeassistant" in done.stdout
    assert done.stderr == ""


def test_a_mistyped_command_gets_a_suggestion(run: Run) -> None:
    done = run("versoin")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "iskra-server: No such command 'versoin'. Did you mean 'version'? See iskra-server --help.\n"


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["decode"], "Missing argument 'FILE|-'. See iskra-server decode --help."),
        (["decode", "--jsn", "x"], "No such option"),
        (["serve", "--port", "http"], "'--port': 'http' is not a whole number. See iskra-server serve --help."),
        (["serve", "--port", "0"], "'--port': 0 is not between 1 and 65535. See iskra-server serve --help."),
        (["demo", "--rate", "x"], "'--rate': 'x' is not a number. See"),
        (["demo", "--rate", "nan"], "'--rate': 'nan' is not a number. See"),
        (["doctor", "--seconds", "inf"], "'--seconds': 'inf' is not a number. See"),
        (["simulate", "--unlock", "-1"], "'--unlock': -1.0 is less than 0. See"),
        (["read", "--count", "0"], "'--count': 0 is less than 1. See"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(args: list[str], part: str, run: Run) -> None:
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert done.stderr.count("\n") == 1


def complete(words: str) -> list[str]:
    variables = {
        "_ISKRA_SERVER_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run([str(COMMAND)], env=os.environ | variables, capture_output=True, text=True, check=False)
    return done.stdout.split()


def test_a_shell_completes_commands_options_and_profiles() -> None:
    assert complete("iskra-server de") == ["demo", "decode"]
    assert "--profile" in complete("iskra-server simulate --")
    assert complete("iskra-server demo --profile ") == list(PROFILES)


def test_it_is_a_module_and_has_a_second_name(run: Run) -> None:
    second = subprocess.run(
        [str(COMMAND.with_name("iskra-electricity-server")), "version"], capture_output=True, text=True, check=True
    )
    module = subprocess.run(
        [str(COMMAND.with_name("python")), "-m", "iskra_server", "version"], capture_output=True, text=True, check=True
    )
    assert second.stdout == module.stdout == run("--version").stdout == f"iskra-server {__version__}\n"


def test_a_reader_that_has_seen_enough_is_no_mistake(run: Run) -> None:
    done = subprocess.run(
        f"'{COMMAND}' simulate --to - --rate 0 | '{COMMAND}' decode - | head -1; echo ${{PIPESTATUS[@]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[1] == "0 0 0"
    assert done.stderr == ""


def test_a_full_disk_is_one_sentence(run: Run) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(COMMAND), "version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.stderr == "iskra-server: The output cannot be written: No space left on device.\n"
    assert done.returncode == 1


def test_ctrl_c_leaves_no_traceback(terminal: OnTerminal) -> None:
    reading = terminal("read", "/dev/does-not-exist")
    reading.until("does not exist")
    reading.interrupt()
    assert reading.end() == 1
    assert "Traceback" not in reading.text
