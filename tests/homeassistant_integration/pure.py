"""The modules of the integration that need no Home Assistant, imported without its `__init__`, which does."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parents[2] / "integrations/homeassistant/custom_components/iskra_server"
_PACKAGE = "integration_without_init"


def module(name: str) -> Any:
    if _PACKAGE not in sys.modules:
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(FOLDER)]
        sys.modules[_PACKAGE] = package
    return import_module(f"{_PACKAGE}.{name}")
