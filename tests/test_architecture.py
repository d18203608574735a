"""The packages of docs/architecture.md: imports run one way, without a cycle; each module has a test."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import javascript

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "iskra_server"
# package -> packages that it may import, besides itself and `base`; a package comes after those that it imports
MAY_IMPORT = {
    "base": set(),
    "mqtt": set(),
    "meter": set(),
    "codecs": {"meter"},
    "sources": {"mqtt", "meter", "codecs"},
    "config": set(),
    "diagnosis": {"codecs"},
    "reading": {"meter", "codecs", "sources", "diagnosis"},
    "history/model": {"meter"},
    "history/points": {"meter", "history/model"},
    "history/store": {"meter", "history/model"},
    "history/recording": {"meter", "reading", "history/model", "history/points", "history/store"},
    "history/transfer": {"meter", "history/model", "history/store"},
    "prices": {"history/model", "history/store"},
    "cost": {"meter", "config", "prices", "history/model", "history/store"},
    "outputs": {"mqtt", "meter", "config", "diagnosis", "reading", "history/model", "history/store", "prices", "cost"},
    "fleet": {"meter", "history/model", "history/store", "outputs"},
    "fleet/edge": {"mqtt", "meter", "diagnosis", "reading", "history/model", "history/store", "outputs", "fleet"},
    "homeassistant": {"meter"},
    "redact": {"meter", "codecs"},
    "simulator": {"meter", "codecs", "sources", "history/model", "history/points", "history/store"},
    "web/server_view": {"diagnosis", "reading", "history/store", "history/recording", "outputs"},
    "web/http": {"meter", "cost", "history/model", "history/store", "web/server_view"},
    "fleet/central": {
        *("mqtt", "meter", "diagnosis", "history/model", "history/store", "outputs", "fleet", "web/http"),
    },
    "web/metrics": {
        *("meter", "diagnosis", "reading", "history/recording", "outputs", "web/http", "web/server_view"),
    },
    "web/api": {
        *("meter", "diagnosis", "reading", "history/model", "history/points", "history/store", "cost", "outputs"),
        *("prices", "homeassistant", "redact", "web/http", "web/server_view"),
    },
    "web": {"fleet/central", "web/http", "web/server_view", "web/metrics", "web/api"},
}
# they put everything together
COMPOSE = {"runtime", "cli", "cli/ui", "cli/commands", "__main__"}


@cache
def modules() -> dict[str, Path]:
    return {
        ".".join(("iskra_server", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in SOURCE.rglob("*.py")
    }


@cache
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


def package(module: str) -> str:
    """The folder of a module; of history, fleet, web and cli the folder within."""
    first, *rest = module.split(".")[1:] or [""]
    inner = f"{first}/{rest[0]}" if rest else ""
    return inner if inner in MAY_IMPORT or inner in COMPOSE else first


def test_the_root_holds_packages_alone() -> None:
    assert {path.name for path in SOURCE.glob("*.py")} == {"__init__.py", "__main__.py"}


def test_a_package_comes_after_those_that_it_imports() -> None:
    order = list(MAY_IMPORT)
    assert [
        (here, needed)
        for here, allowed in MAY_IMPORT.items()
        for needed in allowed
        if order.index(needed) > order.index(here)
    ] == []


@pytest.mark.parametrize("module", sorted(modules()))
def test_every_import_is_allowed(module: str) -> None:
    here = package(module)
    needed = imports(modules()[module])
    if here not in COMPOSE and needed:
        assert here in MAY_IMPORT, f"{module} is in a package that MAY_IMPORT does not name"
        allowed = MAY_IMPORT[here] | {here, "base"}
        assert {name for name in needed if package(name) not in allowed} == set()


@pytest.mark.parametrize("module", sorted(name for name in modules() if package(name) == "outputs"))
def test_no_output_imports_another(module: str) -> None:
    own = module.split(".")[:3]
    others = {name for name in imports(modules()[module]) if package(name) == "outputs"} - {
        "iskra_server.outputs.state"
    }
    assert {name for name in others if name.split(".")[:3] != own} == set()


def test_no_module_is_part_of_a_cycle() -> None:
    assert cycles({name: imports(path) & modules().keys() for name, path in modules().items()}) == {}


def cycles(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is left of a graph without its leaves, again and again."""
    while leaves := {name for name, needs in graph.items() if not needs & graph.keys()}:
        graph = {name: needs for name, needs in graph.items() if name not in leaves}
    return graph


def test_every_module_has_a_test_under_its_name_or_in_the_folder_of_its_package() -> None:
    def is_tested(module: str, path: Path) -> bool:
        folder = ROOT / "tests" / path.relative_to(SOURCE).parent
        return (folder / f"test_{path.stem}.py").exists() or any(
            module in imports(test) for test in folder.rglob("test_*.py")
        )

    assert [module for module, path in modules().items() if path.stem[:2] != "__" and not is_tested(module, path)] == []


# modules of one stem, and public classes of one name, that mean the same thing, in different packages
SAME_THING = {
    # a command or route, and what it is about
    *("backfill", "backup", "energy", "history", "meters", "ports", "prices", "registers", "status", "uplink"),
}


def test_modules_of_the_same_name_mean_the_same_thing() -> None:
    """Each codec has a decoder, an encoder, frames and so on: its folder says of what."""
    stems = Counter(
        path.stem
        for name, path in modules().items()
        if path.stem[:2] != "__" and ".versions." not in name and ".codecs." not in name
    )
    assert {stem for stem, count in stems.items() if count > 1} == SAME_THING


def test_no_two_public_classes_have_one_name() -> None:
    names = Counter(
        node.name
        for name, path in modules().items()
        if ".codecs." not in name or ".codecs.sml" in name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == set()


# the layers of the page, from the lowest; a module imports its own layer and those below
LAYERS = ("words", "shared", "charts", "views", "start")
STARTS = {"main.js", "login.js", "docs.js"}


def layer(module: str) -> int:
    folder = module.rpartition("/")[0] or ("start" if module in STARTS else "shared")
    return LAYERS.index(folder)


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
    assert [(name, need) for name, needs in graph.items() for need in needs if layer(need) > layer(name)] == []


def test_no_module_of_the_page_is_part_of_a_cycle() -> None:
    assert cycles(page_imports()) == {}


def test_no_view_of_the_page_imports_another_one() -> None:
    """What main.js loads has an address of its own; views share the modules below, and parts that have none."""
    views = javascript.lazy_imports(javascript.MODULES / "main.js") - {"keys.js"}
    assert len(views) > 8
    graph = page_imports()
    assert [(name, needs & views) for name, needs in graph.items() if name != "main.js" and needs & views] == []


# of Playwright: what they give is the page of this moment, while it may still change
AT_ONCE = {
    *("all_inner_texts", "all_text_contents", "count", "get_attribute", "inner_text", "input_value", "is_checked"),
    *("is_enabled", "is_hidden", "is_visible", "text_content", "title"),
}


def reads_at_once(assertion: ast.Assert) -> bool:
    return any(
        (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in AT_ONCE)
        or (isinstance(node, ast.Attribute) and ast.unparse(node) == "page.url")
        for node in ast.walk(assertion.test)
    )


def test_no_assertion_reads_a_page_at_once() -> None:
    """On a busy machine it is read before it has changed: `expect` or `until` wait for it."""
    paths = [path for path in (ROOT / "tests").rglob("*.py") if "from playwright" in path.read_text()]
    assert len(paths) > 10
    assert [
        f"{path.name}:{node.lineno}"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert) and reads_at_once(node)
    ] == []
