"""Ports that two emulated devices, or a device and the page, cannot share."""

from pathlib import Path

import pytest

from iskra_server.config import Config, ConfigError, load
from iskra_server.runtime.device_ports import check_tcp_ports, check_udp_ports
from iskra_server.runtime.shelly_devices import shelly_devices


def configured(folder: Path, *devices: str, more: str = "") -> Config:
    """These devices, each with its port after a colon."""
    named = [device.split(":") for device in devices]
    sections = [f"[outputs.{name}]\nenabled = true\nport = {port}\n" for name, port in named]
    path = folder / "iskra-server.toml"
    path.write_text("".join((*sections, more)))
    return load({}, path)


@pytest.mark.parametrize(
    "devices",
    [
        ("shelly_pro_3em:80", "ecotracker:80", "vzlogger:80"),
        ("sunspec:502", "shelly_modbus:502"),
        ("shelly_pro_3em:80", "shelly_3em:81"),
        # without HTTP
        ("shelly_pro_3em:0", "shelly_em1:0"),
    ],
)
def test_ports_that_can_be_shared(tmp_path: Path, devices: tuple[str, ...]) -> None:
    check_tcp_ports(configured(tmp_path, *devices))


@pytest.mark.parametrize(
    ("devices", "mistake"),
    [
        (
            ("shelly_pro_3em:80", "shelly_3em:80"),
            "outputs.shelly_3em.port: outputs.shelly_pro_3em has port 80 already, and one port cannot be two Shelly "
            "devices; give one of them another port, or disable it.",
        ),
        (
            ("sunspec:502", "ecotracker:502"),
            "outputs.sunspec.port: outputs.ecotracker has port 502 already, and one port cannot be HTTP and Modbus; "
            "give one of them another port, or disable it.",
        ),
        (
            ("vzlogger:8080",),
            "outputs.vzlogger.port is 8080, and so is server.port, that of the page; choose another.",
        ),
    ],
)
def test_ports_that_cannot_be_shared(tmp_path: Path, devices: tuple[str, ...], mistake: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_tcp_ports(configured(tmp_path, *devices))
    assert str(error.value) == mistake


def test_page_and_device_may_have_the_same_port_at_different_addresses(tmp_path: Path) -> None:
    hosts = '[server]\nport = 80\nhost = "192.168.1.10"\n[outputs.emulation]\nhost = "192.168.1.11"\n'
    check_tcp_ports(configured(tmp_path, "ecotracker:80", more=hosts))
    with pytest.raises(ConfigError, match=r"^outputs\.ecotracker\.port is 80, and so is server\.port"):
        check_tcp_ports(configured(tmp_path, "ecotracker:80", more=hosts.replace("192.168.1.11", "192.168.1.10")))


def test_two_shelly_devices_need_udp_ports_of_their_own(tmp_path: Path) -> None:
    def shellys(udp_port: int) -> list[object]:
        config = configured(tmp_path, "shelly_pro_3em:80", "shelly_em1:81", more=f"udp_port = {udp_port}\n")
        found = list(shelly_devices(config))
        check_udp_ports(found)
        return list(found)

    assert len(shellys(-1)) == 2
    with pytest.raises(ConfigError, match=r"^outputs\.shelly_em1: outputs\.shelly_pro_3em has UDP port 2220 already"):
        shellys(2220)
