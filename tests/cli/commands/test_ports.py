"""`ports`: names to copy, and why a port cannot be read."""

import json

import pytest
from rich.console import Console

from command import Run
from iskra_server.cli.commands.ports import as_object, as_table, device, remark
from iskra_server.sources.ports import Port, list_ports

BY_ID = "/dev/serial/by-id/usb-Silicon_Labs_CP2102N_USB_to_UART_Bridge_Controller_abcdef-if00-port0"
HEAD = Port("/dev/ttyUSB0", BY_ID, "Silicon Labs CP2102N USB to UART Bridge Controller", None, True)


def test_the_command_lists_what_is_there(run: Run) -> None:
    ports = [port.path for port in list_ports()]
    plain, machine = run("ports"), run("ports", "--json")
    assert plain.returncode == machine.returncode == (0 if ports else 1)
    assert [json.loads(line)["path"] for line in machine.stdout.splitlines()] == ports
    if not ports:
        assert plain.stdout.startswith("There is no serial port. Plug in the head or cable;")


def test_a_device_without_another_name_stands_there_once() -> None:
    assert device(Port("/dev/ttyS0", None, "", None, True)) == ""
    assert device(HEAD) == "/dev/ttyUSB0"


@pytest.mark.parametrize(
    ("port", "why"),
    [
        (HEAD, ""),
        (Port("/dev/ttyUSB1", None, "", "vzlogger (pid 812)", True), "in use by vzlogger (pid 812)"),
        (Port("/dev/ttyUSB1", None, "", None, False), "no permission; add yourself to the group dialout"),
        (Port("/dev/ttyUSB1", None, "ConBee II", None, True), "not an infrared head"),
        (
            Port("/dev/ttyUSB1", None, "", None, True, "/dev/serial/by-path/pci-1", has_twin=True),
            "another adapter has the same serial number, so this name is that of the USB socket",
        ),
    ],
)
def test_a_remark_says_why_a_port_cannot_be_read(port: Port, why: str) -> None:
    assert remark(port) == why


@pytest.mark.parametrize("width", [80, 160])
def test_a_long_name_stays_whole_in_a_narrow_table(width: int) -> None:
    console = Console(width=width, record=True, quiet=False, file=None)
    with console.capture() as captured:
        console.print(as_table([HEAD]))
    lines = captured.get().splitlines()
    assert all(len(line) <= width for line in lines)
    first = lines[0].index("device")
    assert "".join(line[:first].strip() for line in lines[1:]) == BY_ID


def test_an_object_has_the_name_to_configure_first() -> None:
    assert next(iter(as_object(HEAD).items())) == ("path", BY_ID)
