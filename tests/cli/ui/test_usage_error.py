"""Bad input: one sentence on stderr that names the thing, exit status 2, nothing on stdout."""

import socket
from pathlib import Path

import pytest

from command import Run
from iskra_server.cli.ui.usage_error import UsageError, as_sentence


def error_of(run: Run, *args: object, **variables: str) -> str:
    done = run(*args, **variables)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("iskra-server: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("iskra-server: ").strip()


def test_the_exit_status_is_2_unless_given() -> None:
    assert UsageError("No.").status == 2
    assert UsageError("No.", status=1).status == 1


def test_a_sentence_has_a_capital_and_one_stop() -> None:
    assert as_sentence(ValueError("no such port")) == "No such port."
    assert as_sentence(ValueError("No such port.")) == "No such port."
    assert as_sentence(ValueError("ttyUSB0 is no address")) == "ttyUSB0 is no address."


@pytest.mark.parametrize("command", ["serve", "config check"])
def test_a_wrong_configuration(command: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "iskra-server.toml"
    file.write_text("[server]\nprot = 9000\n")
    sentence = error_of(run, *command.split())
    assert sentence == "'server.prot' in iskra-server.toml is not a key; did you mean server.port?"
    file.write_text('[server]\nport = "9000"\n')
    sentence = error_of(run, *command.split(), "--config", file)
    assert sentence == f"server.port in {file} must be a whole number from 1 to 65535, not '9000'."


def test_a_wrong_variable(run: Run) -> None:
    assert error_of(run, "serve", IES_READOUT_INTERVALL="1") == (
        "The variable IES_READOUT_INTERVALL is not known; did you mean IES_READOUT_INTERVAL?"
    )


def test_a_port_in_use(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = error_of(run, "serve", "/dev/null", "--host", "127.0.0.1", "--port", port)
    assert f"port {port}" in sentence
    assert "uses it; stop that program, or choose another with --port, IES_PORT or server.port" in sentence


def test_an_address_that_is_no_meters(run: Run) -> None:
    for command in ("serve", "read"):
        assert "'ftp://x' is not an address of a meter" in error_of(run, command, "ftp://x")


def test_an_unknown_profile(run: Run) -> None:
    for command in (["simulate", "--profile", "MT999"], ["serve", "simulator:MT999"]):
        sentence = error_of(run, *command)
        assert "o simulator profile is called 'MT999'; choose one of MT175-locked," in sentence


def test_a_capture_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("Dear neighbour,\nyour meter\n")
    assert (
        error_of(run, "decode", tmp_path / "gone.bin")
        == f"{tmp_path}/gone.bin cannot be read: No such file or directory."
    )
    assert error_of(run, "decode", tmp_path) == f"{tmp_path} cannot be read: Is a directory."
    assert error_of(run, "decode", text).startswith(
        f"{text} is neither a binary capture nor hex text: line 1 has 'Dear'; hex text is written 1b 1b, "
    )


def test_a_port_that_does_not_exist(run: Run) -> None:
    assert error_of(run, "read", "/dev/ttyNONE").startswith("/dev/ttyNONE does not exist")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--faults", "fire=1"], "There is no fault 'fire'; choose from noise, lost, bits, cut, silence, unplug."),
        (["--to", "tcp:99999"], "'99999' is not a TCP port; write --to tcp:2001, or --to tcp for any free port."),
        (["--to", "x.bin"], "A file needs a number of telegrams, such as --count 100."),
        (["--rate", "0"], "A port needs a --rate above 0; 1 is the speed of a real meter."),
        (["--to", "no/x.bin", "--count", "1"], "no/x.bin cannot be written: No such file or directory."),
    ],
)
def test_a_simulation_that_cannot_be(args: list[str], sentence: str, run: Run) -> None:
    assert error_of(run, "simulate", *args) == sentence


def test_an_address_that_is_no_servers(run: Run) -> None:
    assert error_of(run, "homeassistant", "--url", "pi:8080") == (
        "'pi:8080' is not the address of a server; write it like http://192.168.1.10:8080."
    )


def test_a_file_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"precious")
    for command in (["record", "-o", "x.bin", "simulator:MT175"], ["simulate", "--to", "x.bin", "--count", "1"]):
        assert error_of(run, *command) == "x.bin exists already; choose another name."
    assert (tmp_path / "x.bin").read_bytes() == b"precious"
