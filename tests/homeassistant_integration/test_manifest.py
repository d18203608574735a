import json

from homeassistant_integration.pure import FOLDER
from iskra_server import __version__


def test_the_version_is_that_of_the_server() -> None:
    assert json.loads((FOLDER / "manifest.json").read_text())["version"] == __version__
