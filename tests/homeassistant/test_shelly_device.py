"""The emulated Shelly as Home Assistant's own Shelly integration finds and reads it, in a home of its own."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from homeassistant import network, release
from homeassistant.instance import EVERY_S, HomeAssistant
from homeassistant.release import Release
from namespaces import inside
from running import serving, until

DOMAIN = "shelly"
SOON_S = 120.0
# the counters are sent once a minute
COUNTED_S = 150.0
# at night: while the sun shines, this household imports nothing, and the counter stands still
METER = "simulator:MT175?start=2026-01-20T02:00:00Z"


def libraries(wanted: Release) -> Path:
    """What its Shelly integration needs, beside the installation itself; installed once."""
    folder = release.CACHE / f"{wanted.version}-{DOMAIN}"
    (package,) = wanted.environment.glob("lib/python*/site-packages/homeassistant")
    waiting, seen, needed = [DOMAIN], set[str](), set[str]()
    while waiting:
        if (domain := waiting.pop()) not in seen:
            seen.add(domain)
            content = release.manifest(package / "components" / domain)
            waiting += content.get("dependencies", ())
            needed |= set(content.get("requirements", ()))
    with release.only_one(wanted):
        if not folder.exists():
            with TemporaryDirectory(dir=release.CACHE) as name:
                made = Path(name, "made")
                pip: tuple[str | Path, ...] = (release.UV, "pip", "install", "--no-cache", "--target", made)
                constraints = package / "package_constraints.txt"
                release.run(*pip, "--python", wanted.interpreter, "--constraint", constraints, *sorted(needed))
                made.rename(folder)
    return folder


def discovered(assistant: HomeAssistant) -> dict[str, Any] | None:
    flows = assistant.ask("config_entries/flow/progress")
    return next((flow for flow in flows if flow["handler"] == DOMAIN), None)


@pytest.mark.slow
def test_it_is_discovered_and_read_without_a_complaint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # of those of a distribution of its own this machine cannot add to the environment
    usable = [one for one in release.SETS["default"] if not one.distribution and not release.missing(one)]
    if reason := network.missing() or (None if usable else "needs Python 3.13 or 3.11 for Home Assistant"):
        pytest.skip(reason)
    wanted = usable[-1]
    release.install(wanted)
    packages = libraries(wanted)
    home = network.Network(tmp_path)
    machine = home.machine()
    environ = {
        "IES_SHELLY_PRO_3EM_ENABLED": "true",
        "IES_SHELLY_PRO_3EM_UDP_PORTS": "0",
        "IES_EMULATION_HOST": home.pi.address,
    }
    try:
        with inside(home.pi.pid), serving("serve", METER, environ=environ) as server:
            monkeypatch.setenv("PYTHONPATH", str(packages))
            assistant = HomeAssistant(release=wanted, machine=machine, folder=tmp_path / "assistant")
            assistant.configure()
            try:
                assistant.start()
                flow = until(lambda: discovered(assistant), SOON_S, EVERY_S)
                done = assistant.post(f"/api/config/config_entries/flow/{flow['flow_id']}", {})
                assert done["type"] == "create_entry", done
                name = done["title"]
                assert name.startswith("shellypro3em-02")
                sensor = f"sensor.{name.replace('-', '_')}"
                powers = set[str | None]()

                def changes() -> bool:
                    powers.add(assistant.state(f"{sensor}_total_active_power"))
                    return len(powers - {None, "unknown", "unavailable"}) > 2

                until(changes, SOON_S, EVERY_S)
                state = assistant.states()[f"{sensor}_total_active_power"]
                assert state["attributes"]["unit_of_measurement"] == "W"
                assert assistant.state(f"{sensor}_phase_b_active_power") not in (None, "unknown", "unavailable")
                # the counters follow, to the digit of the meter
                before = Decimal(assistant.state(f"{sensor}_total_active_energy") or 0)
                until(lambda: Decimal(assistant.state(f"{sensor}_total_active_energy") or 0) > before, COUNTED_S, 1)
                read = Decimal(str(server.cumulated().json()["value"]))
                # it has used a little since
                assert abs(read - Decimal(assistant.state(f"{sensor}_total_active_energy") or 0)) < Decimal("0.1")
                assert assistant.complaints() == []
            finally:
                assistant.end()
    finally:
        home.end()
