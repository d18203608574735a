"""What the compose files ask of whoever starts them."""

import re
from pathlib import Path

import pytest

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
