"""What the compose files ask of whoever starts them."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
FILES = sorted((*ROOT.glob("docker-compose.yml"), *ROOT.glob("deploy/**/*compose*.yml")))
_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+)([^}]*)\}")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_secret_that_is_missing_or_empty_is_refused(file: Path) -> None:
    secrets = {
        name: rest for name, rest in _VARIABLE.findall(file.read_text()) if re.search("TOKEN|PASSWORD|KEY", name)
    }
    # the broker that is only started on demand refuses an empty one itself (test_docker_broker.py)
    secrets.pop("IES_MQTT_PASSWORD", None)
    assert {name for name, rest in secrets.items() if not rest.startswith(":?")} == set()
    assert secrets or file.parent.name != "central" or file.name == "docker-compose.tls.yml"


def test_a_household_gets_days_of_its_own_zone() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert compose["services"]["iskra-server"]["environment"]["TZ"] == "${TZ:-Europe/Berlin}"
    # the zones themselves are a package: the base image need not have them
    assert "\ntzdata==" in (ROOT / "requirements/image.txt").read_text()


def test_collectors_compute_the_days_that_the_server_shows() -> None:
    services = yaml.safe_load((ROOT / "deploy/central/docker-compose.yml").read_text())["services"]
    zones = {services[name]["environment"]["TZ"] for name in ("collector-1", "collector-2", "server", "admin")}
    assert zones == {"${TZ:-Europe/Berlin}"}


def test_every_image_of_ours_has_one_name_and_one_variable() -> None:
    """And no pull_policy: with `missing`, `docker compose pull` would never bring a newer version."""
    found = set()
    for file in FILES:
        # these change another file, and their tag is not YAML's own
        if file.name in ("docker-compose.host.yml", "docker-compose.emulation.yml", "docker-compose.tls.yml"):
            continue
        for service in yaml.safe_load(file.read_text())["services"].values():
            assert "pull_policy" not in service
            if "build" in service:
                found.add(service["image"])
    assert found == {"${ISKRA_IMAGE:-iskra-electricity-server:latest}"}


def test_without_a_profile_the_server_is_alone() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert [name for name, service in services.items() if "profiles" not in service] == ["iskra-server"]
