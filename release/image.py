"""Builds the container image of the commit; changed files that are not committed are not in it.

  image.py                                            for this machine, as iskra-electricity-server:VERSION
  image.py --platforms linux/arm64,linux/arm/v7 --name REGISTRY/OWNER/NAME --push
  image.py --platforms linux/arm64 --name REGISTRY/OWNER/NAME --push-by-digest FILE
  image.py --app SERVER_IMAGE ...                     the app of Home Assistant on top of that image

What is pushed carries provenance and a bill of materials; it needs docker with buildx, signed in at the registry.
`--push-by-digest` sets no tag, so that nobody finds the image yet, and writes its digest to FILE (release/manifest.py).
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from checkout import NOT_POSSIBLE_HERE, REFUSED, ROOT, ReleaseError, build_environment, code_version, export

NAME = "iskra-electricity-server"
APP = Path("deploy/homeassistant/iskra_server")


def build_arguments(app_of: str, environment: dict[str, str]) -> dict[str, str]:
    """ARGs of the Dockerfile; on a forge also where the source is."""
    if app_of:
        epoch = build_environment()["SOURCE_DATE_EPOCH"]
        return {"SERVER_IMAGE": app_of, "BUILD_VERSION": code_version(), "SOURCE_DATE_EPOCH": epoch}
    arguments = {"VERSION": code_version()} | build_environment()
    server, repository = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    return arguments | ({"SOURCE": f"{server}/{repository}"} if server and repository else {})


def image_name(given: argparse.Namespace) -> str:
    return str(given.name or (f"{NAME}-app" if given.app else NAME))


def command(given: argparse.Namespace, metadata: str, *, with_buildx: bool) -> list[str]:
    """The command line, up to the folder of the build."""
    name = image_name(given)
    line = ["docker", *(("buildx",) if with_buildx else ()), "build"]
    if given.platforms:
        line += ["--platform", given.platforms]
    if given.network:
        line += ["--network", given.network]
    for argument, value in build_arguments(given.app, dict(os.environ)).items():
        line += ["--build-arg", f"{argument}={value}"]
    if given.push or given.push_by_digest:
        line += ["--provenance", "mode=max", "--sbom", "true", "--metadata-file", metadata]
    if given.push_by_digest:
        # the times of files are that of the commit: the same image in each build
        kept = "push=true,rewrite-timestamp=true"
        return [*line, "--output", f"type=image,name={name},push-by-digest=true,name-canonical=true,{kept}"]
    line += ["--tag", f"{name}:{code_version()}"]
    return [*line, *(("--push",) if given.push else ("--load",) if with_buildx else ())]


def missing(*, push: bool) -> str:
    """What this machine lacks to build, as one sentence; empty if it can."""
    if not shutil.which("docker"):
        return "No image can be built here: docker is not installed."
    engine = run("docker", "version", "--format", "{{.Server.Version}}")
    if engine.returncode:
        return f"No image can be built here: no container engine answers ({last_line(engine)})."
    if push and not has_buildx():
        return "No image can be pushed from here: docker has no buildx (package docker-buildx)."
    return ""


def has_buildx() -> bool:
    return run("docker", "buildx", "version").returncode == 0


def run(*line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, capture_output=True, text=True, check=False)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or ["no answer"])[-1].rstrip(".")


def build(given: argparse.Namespace, *, with_buildx: bool) -> None:
    with TemporaryDirectory() as folder:
        metadata = Path(folder) / "metadata.json"
        source = Path(folder) / "source"
        export(source)
        line = [*command(given, str(metadata), with_buildx=with_buildx), str(source / APP if given.app else source)]
        done = subprocess.run(line, check=False)
        if done.returncode:
            raise ReleaseError(f"{shlex.join(line[:3])} ended with status {done.returncode}; its messages are above.")
        if given.push_by_digest:
            given.push_by_digest.write_text(json.loads(metadata.read_text())["containerimage.digest"] + "\n")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="", help="without a tag, which is the version")
    parser.add_argument(
        "--platforms", default="", help="linux/amd64,linux/arm64,linux/arm/v7; without it this machine's"
    )
    parser.add_argument("--app", metavar="SERVER_IMAGE", default="", help="build the app on top of this image")
    parser.add_argument("--network", default="", help="network of the build, as docker takes it")
    parser.add_argument("--push", action="store_true")
    parser.add_argument("--push-by-digest", type=Path, metavar="FILE")
    parser.add_argument("--print", action="store_true", help="the command line alone")
    return parser.parse_args(arguments)


def main() -> int:
    given = parse()
    pushes = bool(given.push or given.push_by_digest)
    if given.print:
        print(shlex.join([*command(given, "metadata.json", with_buildx=True), str(ROOT / APP if given.app else ROOT)]))
        return 0
    if reason := missing(push=pushes):
        print(reason, file=sys.stderr)
        return NOT_POSSIBLE_HERE
    try:
        build(given, with_buildx=pushes or has_buildx())
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return REFUSED
    if not pushes:
        tag = f"{image_name(given)}:{code_version()}"
        print(tag, *run("docker", "image", "inspect", "--format", "{{.Id}} {{.Size}} bytes", tag).stdout.split())
    return 0


if __name__ == "__main__":
    sys.exit(main())
