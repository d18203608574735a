"""The modules of the page, and what they import."""

import re
from pathlib import Path

from iskra_server.web.http.pages import STATIC

MODULES = STATIC / "js"
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_STATIC = re.compile(r'^(?:import|export)\b[^"();]*"(\.[^"]+)"', re.MULTILINE)
_LAZY = re.compile(r"\bimport\(([^)]*)\)")


def modules() -> dict[str, Path]:
    """Every module by its path below js/, such as "views/now.js"."""
    return {path.relative_to(MODULES).as_posix(): path for path in MODULES.rglob("*.js")}


def static_imports(path: Path) -> set[str]:
    """What a module needs before it runs."""
    return _resolved(path, _STATIC.findall(_COMMENT.sub("", path.read_text())))


def lazy_imports(path: Path) -> set[str]:
    """What a module loads later; each must be named by a string."""
    arguments = _LAZY.findall(_COMMENT.sub("", path.read_text()))
    assert all(re.fullmatch(r'"\.[^"]+"', argument) for argument in arguments), (path, arguments)
    return _resolved(path, [argument.strip('"') for argument in arguments])


def _resolved(path: Path, names: list[str]) -> set[str]:
    return {(path.parent / name).resolve().relative_to(MODULES).as_posix() for name in names}
