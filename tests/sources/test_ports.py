import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from serialx import SerialPortInfo

from iskra_server.sources.ports import Port, list_ports, plugged, programs_by_device
from sources.ptys import Pty, nobody

FTDI = "usb-FTDI_FT232R_USB_UART_A0000001-if00-port0"


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    (tmp_path / "serial" / "by-id").mkdir(parents=True)
    return tmp_path


def info(device: str, product: str | None = None, maker: str | None = None) -> SerialPortInfo:
    return SerialPortInfo(
        device=device,
        resolved_device=device,
        vid=None,
        pid=None,
        serial_number=None,
        manufacturer=maker,
        product=product,
        bcd_device=None,
        interface_description=None,
        interface_num=None,
    )


def test_by_id_names_come_first_and_each_device_once(dev: Path, plug: Callable[[], Pty]) -> None:
    head, other, listed = plug(), plug(), plug()
    (dev / "ttyUSB0").symlink_to(head.path)
    (dev / "ttyACM0").symlink_to(other.path)
    (dev / "serial" / "by-id" / FTDI).symlink_to(dev / "ttyUSB0")
    (dev / "serial" / "by-id" / f"{FTDI}-again").symlink_to(dev / "ttyUSB0")
    found = list_ports(dev, lambda: [info(str(dev / "ttyUSB0"), "FT232R USB UART", "FTDI"), info(listed.path)])
    assert [(port.device, port.by_id) for port in found] == [
        (head.path, str(dev / "serial" / "by-id" / FTDI)),
        (listed.path, None),
        (other.path, None),
    ]
    assert [port.path for port in found] == [str(dev / "serial" / "by-id" / FTDI), listed.path, other.path]
    assert [port.description for port in found] == ["FTDI FT232R USB UART", "", ""]


def test_the_by_id_name_is_the_description_of_last_resort(dev: Path, plug: Callable[[], Pty]) -> None:
    (dev / "serial" / "by-id" / FTDI).symlink_to(plug().path)
    assert [port.description for port in list_ports(dev, lambda: [])] == ["FTDI FT232R USB UART A0000001"]


def twins(dev: Path, plug: Callable[[], Pty], **second: Any) -> list[Port]:
    """Two adapters with the same serial number, or with what `second` has: udev has one by-id name for both."""
    (dev / "serial" / "by-path").mkdir()
    listed = []
    for number in range(2):
        device = dev / f"ttyUSB{number}"
        device.symlink_to(plug().path)
        (dev / "serial" / "by-path" / f"pci-usb-0:{number}:1.0-port0").symlink_to(device)
        listed.append(replace(info(str(device), "FT232R", "FTDI"), vid=0x0403, pid=0x6001, serial_number="0001"))
    (dev / "serial" / "by-id" / FTDI).symlink_to(dev / "ttyUSB1")
    listed[1] = replace(listed[1], **second)
    return sorted(list_ports(dev, lambda: listed), key=lambda port: port.by_path or "")


def test_adapters_that_share_a_by_id_name_are_named_by_path(dev: Path, plug: Callable[[], Pty]) -> None:
    found = twins(dev, plug)
    assert [port.has_twin for port in found] == [True, True]
    assert [Path(port.path).name for port in found] == ["pci-usb-0:0:1.0-port0", "pci-usb-0:1:1.0-port0"]


@pytest.mark.parametrize("second", [{"serial_number": "0002"}, {"interface_num": 1}, {"pid": 0x6015}])
def test_adapters_that_differ_have_no_twin(dev: Path, plug: Callable[[], Pty], second: dict[str, Any]) -> None:
    found = twins(dev, plug, **second)
    assert [port.has_twin for port in found] == [False, False]
    assert [Path(port.path).name for port in found] == ["ttyUSB0", FTDI] or found[1].by_id == found[1].path


def test_an_unplugged_port_is_not_listed(dev: Path) -> None:
    (dev / "serial" / "by-id" / FTDI).symlink_to(dev / "ttyUSB0")
    assert list_ports(dev, lambda: [info(str(dev / "ttyUSB1"))]) == []


def test_without_a_dev_folder_there_are_no_ports(tmp_path: Path) -> None:
    assert list_ports(tmp_path / "dev", lambda: []) == []


def test_the_bluetooth_chip_of_a_raspberry_pi_is_not_listed(dev: Path, plug: Callable[[], Pty]) -> None:
    uart = plug()
    (dev / "ttyAMA0").symlink_to(plug().path)
    (dev / "serial1").symlink_to(dev / "ttyAMA0")
    (dev / "serial0").symlink_to(uart.path)
    assert [port.device for port in list_ports(dev, lambda: [])] == [uart.path]


def test_a_port_has_its_program_and_permission(dev: Path, plug: Callable[[], Pty]) -> None:
    port = plug()
    (dev / "ttyUSB0").symlink_to(port.path)
    assert [(found.holder, found.may_open) for found in list_ports(dev, lambda: [])] == [(None, True)]
    descriptor = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    try:
        assert f"(pid {os.getpid()})" in str(list_ports(dev, lambda: [])[0].holder)
    finally:
        os.close(descriptor)


def test_permission_is_that_of_the_effective_user(plug: Callable[[], Pty]) -> None:
    path = plug().path
    os.chmod(path, 0o600)
    with nobody():
        assert [port.may_open for port in list_ports(Path("/nowhere"), lambda: [info(path)])] == [False]


@pytest.mark.parametrize(
    "name",
    [
        "usb-ITead_Sonoff_Zigbee_3.0_USB_Dongle_Plus_0001-if00-port0",
        "usb-dresden_elektronik_ingenieurtechnik_GmbH_ConBee_II_DE0001-if00",
        "usb-Nabu_Casa_SkyConnect_v1.0_0001-if00-port0",
        "usb-Nabu_Casa_Home_Assistant_Connect_ZBT-1_0001-if00-port0",
        "usb-Zooz_800_Z-Wave_Stick_0001-if00",
        "usb-u-blox_AG_-_www.u-blox.com_u-blox_7_-_GPS_GNSS_Receiver-if00",
        "usb-HUAWEI_Mobile_HUAWEI_Mobile-if00-port0",
        "usb-Cambridge_Silicon_Radio_Bluetooth_0001-if00",
    ],
)
def test_other_devices_are_recognised_by_name(name: str) -> None:
    assert Port("/dev/ttyUSB0", f"/dev/serial/by-id/{name}", "", None, True).is_foreign


@pytest.mark.parametrize(
    "name",
    [
        FTDI,
        "usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0",
        "usb-Silicon_Labs_CP2102N_USB_to_UART_Bridge_Controller_0001-if00-port0",
        "usb-Prolific_Technology_Inc._USB-Serial_Controller-if00-port0",
        "usb-1a86_USB_Serial-if00-port0",
    ],
)
def test_adapters_of_infrared_heads_are_not_foreign(name: str) -> None:
    assert not Port("/dev/ttyUSB0", f"/dev/serial/by-id/{name}", "FT232R USB UART", None, True).is_foreign


def test_plugged_changes_when_a_port_is_added_or_removed(dev: Path) -> None:
    empty = plugged(dev)
    (dev / "serial" / "by-id" / FTDI).symlink_to(dev / "ttyUSB0")
    (dev / "ttyUSB0").write_text("")
    assert plugged(dev) == {str(dev / "serial" / "by-id" / FTDI), str(dev / "ttyUSB0")}
    (dev / "ttyUSB0").unlink()
    (dev / "serial" / "by-id" / FTDI).unlink()
    assert plugged(dev) == empty


def test_the_program_that_has_a_device_open() -> None:
    master, slave = os.openpty()
    try:
        device = os.ttyname(slave)
        name = Path("/proc/self/comm").read_text().strip()
        assert programs_by_device()[device] == f"{name} (pid {os.getpid()})"
    finally:
        os.close(master)
        os.close(slave)
    assert device not in programs_by_device()


def test_all_programs_that_have_a_device_open() -> None:
    master, slave = os.openpty()
    other = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=slave, stdout=subprocess.PIPE)
    try:
        assert other.stdout and other.stdout.readline()
        named = programs_by_device()[os.ttyname(slave)]
        assert f"(pid {os.getpid()})" in named
        assert f"(pid {other.pid})" in named
    finally:
        os.close(master)
        os.close(slave)
        other.communicate()


def test_processes_that_end_or_are_hidden_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2" / "fd").mkdir(parents=True)
    (tmp_path / "2" / "fd" / "0").symlink_to("/dev/ttyUSB0")
    (tmp_path / "2" / "fd" / "1").write_text("no link")
    assert programs_by_device(tmp_path) == {"/dev/ttyUSB0": "a program (pid 2)"}
