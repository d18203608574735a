"""What the configuration generator knows of the product, written as generator/js/reference.js.

Every key with what its value must be, the service of docker-compose.yml, and the options of the app of Home Assistant:
so the generator cannot drift from them. `--check` writes nothing and fails where the file is out of date.
"""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import yaml

from iskra_server.config import Key, describe, describe_tables
from iskra_server.config.app_options import OPTIONS
from iskra_server.config.keys import is_filled

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILE = HERE / "generator" / "js" / "reference.js"
APP = ROOT / "deploy" / "homeassistant" / "iskra_server" / "config.yaml"
# a list of windows, prices of registers and levies: tables whose names the generator writes
SECTIONS = ("server", "meters", "contracts", "outputs", "notify", "alerts")


def limits(key: Key) -> dict[str, Any]:
    """What a value must be: its kind, and its limits or choices."""
    kind, meta = get_args(key.type)
    if get_origin(kind) is Union:
        # a number or None
        kind, meta = get_args(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return {"kind": "choice", "choices": [str(choice) for choice in get_args(kind)]}
    if kind is bool:
        return {"kind": "flag"}
    if kind is date:
        return {"kind": "date"}
    if kind in (int, float):
        bounds = {"min": meta.ge, "above": meta.gt, "max": meta.le}
        numbers = {name: bound for name, bound in bounds.items() if bound is not None}
        return {"kind": "whole" if kind is int else "number", **numbers}
    filled = {"filled": True} if meta.min_length or is_filled(key) else {}
    return {"kind": "text", **filled, **({"max": meta.max_length} if meta.max_length else {})}


def app_options(schema: dict[str, Any]) -> dict[str, str]:
    return {key: option for option, (key, *_) in OPTIONS.items() if option in schema and key != "meters"}


def reference() -> str:
    keys = {
        key.path: limits(key) for key in (*describe(), *describe_tables()) if key.path.partition(".")[0] in SECTIONS
    }
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    app = yaml.safe_load(APP.read_text())
    rows = "".join(f"  {json.dumps(path)}: {json.dumps(limit)},\n" for path, limit in keys.items())
    return (
        "// Written by docs/site/reference.py from the configuration, docker-compose.yml and the app: make docs\n\n"
        "/** What the value of each key must be. @type {Record<string, import('./check.js').Limits>} */\n"
        f"export const KEYS = {{\n{rows}}};\n\n"
        "/** docker-compose.yml, as it is shipped. @type {any} */\n"
        f"export const COMPOSE = {json.dumps(compose, indent=2)};\n\n"
        "/** The options of the app by the key of the configuration that each sets. @type {Record<string, string>} */\n"
        f"export const APP_OPTIONS = {json.dumps(app_options(app['schema']), indent=2)};\n\n"
        "/** What an entry of its option contracts may have. */\n"
        f"export const CONTRACT_OPTIONS = {json.dumps(sorted(app['schema']['contracts'][0]), indent=2)};\n"
    )


def main() -> int:
    text = reference()
    is_current = FILE.exists() and FILE.read_text() == text
    if "--check" in sys.argv:
        if not is_current:
            print(f"{FILE.relative_to(ROOT)} is out of date; run make docs")
        return 0 if is_current else 1
    FILE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
