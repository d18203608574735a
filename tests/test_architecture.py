"""The rooms and arrows of docs/architecture.md: imports run one way, without a cycle; each file has its test."""

import ast
from pathlib import Path

import pytest

import javascript

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "iskra_server"
# room -> rooms that it may import; every room may import itself
ARROWS = {
    "clock": set(),
    "secret": set(),
    "address": set(),
    "meter": set(),
    "threads": set(),
    "sources": {"threads"},
    "diagnosis": set(),
    "spool": set(),
    "history": {"meter", "spool"},
    "cost": {"history"},
    "codecs": {"meter"},
    "hub": {"meter"},
    "simulator": {"codecs", "meter", "sources"},
    "config": set(),
    "logs": set(),
    "zone": set(),
    "demonstration": {"meter", "simulator", "history"},
    "archive": {"meter", "hub", "history"},
    "notify": set(),
    "fleet": {"meter", "hub", "history", "diagnosis", "outputs"},
    "outputs": {"meter", "hub", "diagnosis", "spool", "threads"},
    "delivery": {"announcement", "outputs", "fleet", "config", "hub", "history", "diagnosis", "spool", "supervision"},
    "supervision": set(),
    "faultlog": {"diagnosis"},
    "tls": {"config"},
    "listening": {"config", "web"},
    "plan": {
        "config",
        "codecs",
        "delivery",
        "diagnosis",
        "history",
        "prices",
        "sources",
        "simulator",
        "tls",
        "web",
        "zone",
    },
    "support": {"meter", "codecs"},
    "prices": {"config", "cost", "meter"},
    "restful": {"meter"},
    "web": {"meter", "hub", "history", "cost", "diagnosis", "restful", "support", "zone"},
    "announcement": set(),
    "reader": {"meter", "codecs", "sources", "hub", "diagnosis"},
}
# every room may import them
EVERYWHERE = {"clock", "secret", "address"}
COMPOSE = {"server", "cli", "__main__"}


def modules() -> dict[str, Path]:
    return {
        ".".join(("iskra_server", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in SOURCE.rglob("*.py")
    }


def imports(path: Path) -> set[str]:
    """Our own modules that a file imports, as dotted names; `from package import module` counts as the module."""
    found: set[str] = set()
    known = modules()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & known.keys()
            found |= inner or {node.module}
    return {name for name in found if name.startswith("iskra_server.")}


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("module", sorted(modules()))
def test_every_import_follows_an_arrow(module: str) -> None:
    here = room(module)
    if here and here not in COMPOSE:
        assert here in ARROWS, f"{module} is a room that the design does not know"
        allowed = ARROWS[here] | {here, *EVERYWHERE}
        assert {name for name in imports(modules()[module]) if room(name) not in allowed} == set()


@pytest.mark.parametrize("module", sorted(name for name in modules() if room(name) == "outputs"))
def test_no_output_imports_another(module: str) -> None:
    others = {name for name in imports(modules()[module]) if room(name) == "outputs"}
    assert {name for name in others if name.split(".")[2] != module.split(".")[2]} == set()


def test_no_module_is_part_of_a_cycle() -> None:
    assert cycles({name: imports(path) & modules().keys() for name, path in modules().items()}) == {}


def cycles(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is left of a graph without its leaves, again and again."""
    while leaves := {name for name, needs in graph.items() if not needs & graph.keys()}:
        graph = {name: needs for name, needs in graph.items() if name not in leaves}
    return graph


def test_every_source_file_has_its_test_file() -> None:
    expected = {
        ROOT / "tests" / path.relative_to(SOURCE).with_name(f"test_{path.stem}.py")
        for path in SOURCE.rglob("*.py")
        if not path.stem.startswith("__")
    }
    assert {str(path.relative_to(ROOT)) for path in expected if not path.exists()} == set()


# the floors of the page, from the ground; a module imports its own floor and those below
FLOORS = ("words", "shared", "charts", "views", "start")
STARTS = {"main.js", "login.js", "docs.js"}


def floor(module: str) -> int:
    folder = module.rpartition("/")[0] or ("start" if module in STARTS else "shared")
    return FLOORS.index(folder)


def page_imports() -> dict[str, set[str]]:
    """Of each module of the page, both those that it needs and those that it loads later."""
    return {
        name: javascript.static_imports(path) | javascript.lazy_imports(path)
        for name, path in javascript.modules().items()
    }


def test_modules_of_the_page_import_what_is_there_and_downwards() -> None:
    graph = page_imports()
    assert len(graph) > 40 and "views/history.js" in graph["main.js"]
    assert {name for needs in graph.values() for name in needs} <= graph.keys()
    assert [(name, need) for name, needs in graph.items() for need in needs if floor(need) > floor(name)] == []


def test_no_module_of_the_page_is_part_of_a_cycle() -> None:
    assert cycles(page_imports()) == {}


def test_no_view_of_the_page_imports_another_one() -> None:
    """What main.js loads has an address of its own; views share the modules below, and parts that have none."""
    views = javascript.lazy_imports(javascript.MODULES / "main.js") - {"keys.js"}
    assert len(views) > 8
    graph = page_imports()
    assert [(name, needs & views) for name, needs in graph.items() if name != "main.js" and needs & views] == []
