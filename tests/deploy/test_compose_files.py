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
    assert {name for name, rest in secrets.items() if not rest.startswith(":?")} == set()
    assert secrets or "central" not in str(file)


def test_a_household_gets_days_of_its_own_zone() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    (service,) = compose["services"].values()
    assert service["environment"]["TZ"] == "${TZ:-Europe/Berlin}"
    # the zones themselves are a package: the base image need not have them
    assert "\ntzdata==" in (ROOT / "requirements/image.txt").read_text()
