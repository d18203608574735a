"""Writes the bills of materials, CycloneDX 1.6 as JSON: the server with all that image and .deb install, and its page.

Equal input gives an equal file: the time is that of the commit, and the serial number is made of the content. Both are
validated against the schema of CycloneDX.
"""

import argparse
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from artefacts import DIST
from checkout import REFUSED, ROOT, ReleaseError, build_environment, code_version

NAME = "iskra-electricity-server"
SCHEMA = SchemaVersion.V1_6
LOCK = Path("requirements/image.txt")
VENDORED = Path("src/iskra_server/web/static/vendor/vendored.json")
Document = dict[str, Any]


def server(version: str, root: Path = ROOT) -> Document:
    """Every package of the lock file, with its hashes and the condition under which it is installed."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cyclonedx_py", "requirements", LOCK, "--pyproject", "pyproject.toml"),
            *("--mc-type", "application", "--output-reproducible", "--spec-version", SCHEMA.to_version()),
        ],
        cwd=root,
        env=os.environ | build_environment(root),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ReleaseError(f"cyclonedx-py cannot read {LOCK}: {done.stderr.strip()}")
    document: Document = json.loads(done.stdout)
    # pyproject.toml leaves the version to __init__.py
    document["metadata"]["component"] |= {"version": version, "purl": f"pkg:pypi/{NAME}@{version}"}
    return document


def page(version: str, root: Path = ROOT) -> Document:
    """What the page has from others: one library, copied byte by byte (.ci/vendor)."""
    vendored = json.loads((root / VENDORED).read_text())
    name, _, library_version = vendored["package"].rpartition("@")
    purl = f"pkg:npm/{name.lower()}@{library_version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SCHEMA.to_version(),
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "page",
                "name": f"{NAME}-page",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": library_version,
                "purl": purl,
                "licenses": [{"license": {"id": vendored["licence"]}}],
                "components": [
                    {"type": "file", "name": file, "hashes": [{"alg": "SHA-256", "content": content}]}
                    for file, content in sorted(vendored["sha256"].items())
                ],
            }
        ],
        "dependencies": [{"ref": "page", "dependsOn": [purl]}, {"ref": purl}],
    }


def write(document: Document, file: Path) -> None:
    """Raises ReleaseError if the document is not valid."""
    # the forge attests no bill without a serial number, and --output-reproducible leaves it out
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(document, sort_keys=True))
    text = json.dumps(document | {"serialNumber": serial.urn}, indent=2, sort_keys=True) + "\n"
    if error := JsonStrictValidator(SCHEMA).validate_str(text):
        raise ReleaseError(f"{file.name} would not be valid CycloneDX {SCHEMA.to_version()}: {error}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=DIST)
    output = parser.parse_args().output
    version = code_version()
    try:
        for document, suffix in ((server(version), ""), (page(version), "-page")):
            file = output / f"{NAME}-{version}{suffix}.cdx.json"
            write(document, file)
            print(file.name)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return REFUSED
    print(f"Both are valid CycloneDX {SCHEMA.to_version()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
