"""The coach in a pipe and on a terminal, with a simulated meter that is unlocked meanwhile; its clock runs fast."""

from pathlib import Path

import pytest

import texts
from command import OnTerminal, Run

UNLOCKS = "simulator:MT631-locked?unlock=60&rate=40"


@pytest.mark.slow
def test_in_a_pipe_it_explains_and_tells_what_happens(run: Run) -> None:
    done = run("unlock", UNLOCKS)
    assert (done.returncode, done.stderr) == (0, "")
    told = [
        "1 ISK 00 10000001  MT631/MT691",
        "It is locked: it sends whole kWh and no power.",
        "  1. Two short flashes wake the display",
        "The digits after the point are sent now.",
        "The power is sent now.",
        "It locks itself again in two minutes: switch InF on.",
        "InF is on: the meter stays unlocked.",
    ]
    places = [done.stdout.find(part) for part in told]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.slow
def test_it_speaks_german(run: Run) -> None:
    done = run("unlock", UNLOCKS, LC_ALL="de_DE.UTF-8")
    assert done.stdout.splitlines()[-1] == "InF ist an: Der Zähler bleibt freigeschaltet."
    assert run("unlock", "--lang", "en", UNLOCKS, LC_ALL="de_DE.UTF-8").stdout.endswith("the meter stays unlocked.\n")


def test_an_unlocked_meter_needs_nothing(run: Run) -> None:
    done = run("unlock", "simulator:MT175")
    assert done.returncode == 0
    assert "It is unlocked: there is nothing to do." in done.stdout
    assert "flash" not in done.stdout


def test_without_a_telegram_it_names_the_next_step(run: Run, tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(bytes(100))
    done = run("unlock", "noise.bin")
    assert done.returncode == 1
    assert done.stderr.startswith("iskra-server: No telegram arrived from noise.bin; iskra-server doctor noise.bin")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("noise.bin", "Von noise.bin kam kein Telegramm an; iskra-server doctor noise.bin sagt, warum."),
        ("p1.bin", "Der Zähler an p1.bin sendet P1: Er hat keine PIN, die eingegeben werden muss."),
        ("tcp://127.0.0.1:1", "tcp://127.0.0.1:1 nimmt keine Verbindungen an. Prüfen Sie die Adresse"),
    ],
)
def test_what_is_wrong_is_said_in_german_too(address: str, sentence: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(bytes(100))
    (tmp_path / "p1.bin").write_bytes(texts.p1_telegram())
    done = run("unlock", "--lang", "de", address)
    assert (done.returncode, done.stderr.startswith(f"iskra-server: {sentence}")) == (1, True)


@pytest.mark.slow
def test_a_meter_that_falls_back_is_told_and_coached_on(terminal: OnTerminal) -> None:
    coach = terminal("unlock", "simulator:MT175-locked?unlock=40&relock=161&rate=40", columns=120)
    coach.until("Press Enter, and then flash twice")
    coach.until("It locks itself again in two minutes")
    coach.until("It has locked itself again: InF is off.")
    coach.interrupt()
    assert coach.end() == 1


@pytest.mark.slow
def test_on_a_terminal_it_leads_and_counts(terminal: OnTerminal) -> None:
    coach = terminal("unlock", "simulator:MT175-locked?unlock=500&rate=40", columns=120)
    coach.until("Press Enter, and then flash twice")
    coach.press("\n")
    coach.until("flash flash")
    coach.until("Then press Enter.")
    coach.press("\n")
    coach.until("Digit 1:")
    coach.until("1 2")
    coach.press("\n")
    coach.until("dark 3 2 1")
    coach.until("Digit 2:")
    coach.until("It locks itself again in two minutes")
    coach.until("InF is on")
    assert coach.end() == 0
    assert "Traceback" not in coach.text


@pytest.mark.parametrize("word", ["unlock", "align"])
def test_several_meters_are_told_apart_by_name(word: str, run: Run) -> None:
    done = run(word, IES_METERS="simulator:MT175?seed=1,simulator:MT175?seed=2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "iskra-server: There are 2 meters; name one, such as simulator:MT175?seed=1.\n"


def test_a_meter_of_another_protocol_has_no_pin(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p1.bin").write_bytes(texts.p1_telegram())
    done = run("unlock", tmp_path / "p1.bin")
    assert done.returncode == 1
    assert "sends P1: it has no PIN that must be entered. Only ISKRA meters that send SML have one." in done.stderr


def test_a_port_that_is_not_there_is_one_sentence(run: Run) -> None:
    done = run("unlock", "/dev/ttyNONE")
    assert done.returncode == 2
    assert done.stderr.startswith("iskra-server: /dev/ttyNONE does not exist")
