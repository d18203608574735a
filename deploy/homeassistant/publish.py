"""Writes the app repository as Home Assistant reads it: `publish.py FOLDER --url https://... --image REGISTRY/NAME`.

The two placeholders of repository.yaml and of each config.yaml are replaced, and links become files, so that FOLDER can
be pushed as a repository of its own. `publish.py FOLDER --local` writes apps without `image:`, each with all that its
image is built from, for the folder /addons of a Home Assistant.
"""

import argparse
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
URL = "https://example.org/iskra-electricity-server"
IMAGE = "registry.example/iskra-electricity-server/app"
# what the Dockerfile of the checkout copies
SOURCES = (
    *("Dockerfile", "LICENSE", "NOTICE", "README.md", "hatch_build.py", "pyproject.toml", "requirements", "src"),
    "deploy/healthcheck.py",
)
SERVER_STAGE = "FROM python:3.13-slim-trixie\n"


def publish(folder: Path, url: str, image: str, *, local: bool = False) -> None:
    if folder.exists():
        sys.exit(f"{folder} exists already; name a new folder.")
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("pictures", "publish.py", "__pycache__"))
    for file in (folder / "repository.yaml", *folder.glob("*/config.yaml")):
        lines = file.read_text().replace(URL, url).replace(IMAGE, image).splitlines(keepends=True)
        file.write_text("".join(line for line in lines if not (local and line.startswith("image:"))))
    if local:
        for config in folder.glob("*/config.yaml"):
            add_sources(config.parent)


def add_sources(app: Path) -> None:
    """The build of the server, followed by the few lines that make an app of it."""
    layer = (app / "Dockerfile").read_text()
    for name in SOURCES:
        source, copy = CHECKOUT / name, app / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(source, copy)
    server, is_one, rest = (app / "Dockerfile").read_text().rpartition(SERVER_STAGE)
    if not is_one:
        sys.exit(f"{CHECKOUT / 'Dockerfile'} has no stage that begins with {SERVER_STAGE.strip()}.")
    for line, instead in (("ARG SERVER_IMAGE=iskra-electricity-server\n", ""), ("FROM ${SERVER_IMAGE}", "FROM server")):
        layer = layer.replace(line, instead)
    (app / "Dockerfile").write_text(f"{server}{SERVER_STAGE.strip()} AS server\n{rest}\n\n{layer}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default=URL, help="address of the project")
    parser.add_argument("--image", default=IMAGE, help="name of the image without its tag, which is the version")
    parser.add_argument("--local", action="store_true", help="build on the Home Assistant machine itself")
    given = parser.parse_args()
    publish(given.folder, given.url, given.image, local=given.local)
