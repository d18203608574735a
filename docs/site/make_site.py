"""Builds the documentation site into build/site: one folder per version, English with German below it.

build/site/0.1/          this version: its folder de/ is German, generator/ the configuration generator
build/site/latest/       the newest version, under an address that stays; an older version makes none
build/site/versions.json the versions for the choice on each page; `--versions FILE` names those published before
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from site_links import broken_links
from staging import ROOT, StagingError, stage

HERE = Path(__file__).parent
PRODUCT = ROOT / "src" / "iskra_server" / "web" / "static"
_PRODUCT_IMPORT = re.compile(r'"(?:\.\./)+src/iskra_server/web/static/js/')
_IMPORT = re.compile(r'(?:from|import)\s*\(?"(\.[^"]+)"')
_DEFAULT_IMAGE = re.compile(r"\$\{ISKRA_IMAGE:-[^}]*\}")
_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)


def product_version() -> str:
    """Major and minor of the version: the folder of the site."""
    found = _VERSION.search((ROOT / "src/iskra_server/__init__.py").read_text())
    if not found:
        raise SystemExit("docs-site: src/iskra_server/__init__.py has no __version__.")
    return ".".join(found[1].split(".")[:2])


def build(output: Path, version: str, known: list[dict[str, str]], image: str = "") -> int:
    """Everything; returns the number of pages. Raises SystemExit with a sentence."""
    work = output.with_name(f"{output.name}-source")
    try:
        pages = stage(work)
    except StagingError as error:
        raise SystemExit(f"docs-site: {error}") from None
    folder = output / version
    shutil.rmtree(output, ignore_errors=True)
    for language in pages:
        translated = sorted(set(pages["en"]) & set(pages["de"]))
        _run_sphinx(work / language, folder / ("de" if language == "de" else ""), language, version, translated)
    write_generator(folder, image)
    _write_texts(work, folder, pages["en"])
    write_entrance(output, version, known)
    if faults := broken_links(folder):
        raise SystemExit("docs-site: links that lead nowhere:\n" + "\n".join(faults))
    return sum(map(len, pages.values()))


def write_entrance(output: Path, version: str, known: list[dict[str, str]]) -> None:
    """What lies beside the folders of versions: the list of all, and where a reader without a version goes."""
    versions = [{"version": version, "path": f"{version}/"}]
    versions += [row for row in known if row["version"] != version]
    versions.sort(key=_newest_first)
    (output / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")
    # a page host of the forge else leaves out folders whose names begin with _, such as _static
    (output / ".nojekyll").touch()
    if versions[0]["version"] == version:
        shutil.copytree(output / version, output / "latest")
        (output / "index.html").write_text(_REDIRECT)


def _newest_first(row: dict[str, str]) -> list[int]:
    return [-int(number) for number in re.findall(r"\d+", row["version"])]


_REDIRECT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>ISKRA Electricity Server</title>
<link rel="icon" href="latest/favicon.svg">
<meta http-equiv="refresh" content="0; url=latest/index.html"></head>
<body><p><a href="latest/index.html">Documentation of ISKRA Electricity Server</a></p></body></html>
"""


def _run_sphinx(source: Path, target: Path, language: str, version: str, translated: list[str]) -> None:
    shutil.copytree(HERE / "theme", source, dirs_exist_ok=True)
    shutil.copyfile(HERE / "conf.py", source / "conf.py")
    shutil.copyfile(PRODUCT / "icons" / "favicon.svg", source / "favicon.svg")
    environment = {
        **os.environ,
        "SITE_LANGUAGE": language,
        "SITE_VERSION": version,
        "SITE_TRANSLATED": " ".join(translated),
    }
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--builder", "html"]
    command += ["--doctree-dir", str(source.with_name(f"{source.name}-doctrees")), str(source), str(target)]
    done = subprocess.run(command, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"docs-site: Sphinx found mistakes in the {language} pages, see above.")
    for page in target.rglob("*.html"):
        page.write_text(accessible(page.read_text(), language))
    (target / ".buildinfo").unlink(missing_ok=True)
    (target / "objects.inv").unlink(missing_ok=True)
    shutil.rmtree(target / "_sources", ignore_errors=True)


def accessible(page: str, language: str) -> str:
    """A page with what Sphinx and its theme leave out for readers without a mouse or a screen."""
    navigation, contents = ("Navigation", "Auf dieser Seite") if language == "de" else ("Navigation", "On this page")
    for old, new in (
        ('role="heading"><span class="caption-text">', 'role="heading" aria-level="2"><span class="caption-text">'),
        ('<aside class="sidebar-drawer">', f'<aside class="sidebar-drawer" aria-label="{navigation}">'),
        ('<aside class="toc-drawer', f'<aside aria-label="{contents}" class="toc-drawer'),
        # what scrolls sideways can be reached by keyboard
        ("<pre>", '<pre tabindex="0">'),
        ('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
        ('<th class="head"><p></p></th>', "<td></td>"),
    ):
        page = page.replace(old, new)
    return page


def write_generator(folder: Path, image: str = "") -> None:
    """The page in both languages; its modules, and those of the product that it uses, lie in generator/ once.

    `image`: what its compose files pull; "" is the name in docker-compose.yml, which a checkout builds.
    """
    source, target, german = HERE / "generator", folder / "generator", folder / "de" / "generator"
    _copy_modules(source, target)
    (target / "product" / "css").mkdir(parents=True)
    german.mkdir(parents=True)
    for file, place in (
        (source / "generator.css", target),
        (source / "index.html", target),
        (source / "index.de.html", german / "index.html"),
        (PRODUCT / "css" / "base.css", target / "product" / "css"),
        (PRODUCT / "css" / "setup.css", target / "product" / "css"),
        (PRODUCT / "icons" / "favicon.svg", folder),
    ):
        shutil.copy(file, place)
    if image:
        reference = target / "js" / "reference.js"
        reference.write_text(_DEFAULT_IMAGE.sub(f"${{ISKRA_IMAGE:-{image}}}", reference.read_text()))


def _copy_modules(source: Path, target: Path) -> None:
    """The modules of the page, and of the product what they import, however far."""
    (target / "js" / "words").mkdir(parents=True)
    needed: set[Path] = set()
    for module in sorted((source / "js").rglob("*.js")):
        text = module.read_text()
        needed |= {(module.parent / name).resolve() for name in _IMPORT.findall(text) if "src/" in name}
        depth = len(module.relative_to(source / "js").parts)
        text = _PRODUCT_IMPORT.sub('"' + "../" * depth + "product/js/", text)
        (target / "js" / module.relative_to(source / "js")).write_text(text)
    copied: set[Path] = set()
    while needed - copied:
        module = (needed - copied).pop()
        copied.add(module)
        needed |= {(module.parent / name).resolve() for name in _IMPORT.findall(module.read_text())}
        place = target / "product" / module.relative_to(PRODUCT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, place)


def _write_texts(work: Path, folder: Path, pages: dict[str, Path]) -> None:
    """llms.txt lists the pages, llms-full.txt has all of them as one Markdown file."""
    lines, parts = ["# ISKRA Electricity Server", ""], []
    for name in sorted(pages, key=lambda page: (page != "index", page.startswith("decisions/"), page)):
        text = re.sub(r"\n```\{toctree\}.*?```\n", "", (work / "en" / f"{name}.md").read_text(), flags=re.DOTALL)
        title = re.search(r"^# (.+)$", text, re.MULTILINE)
        lines.append(f"- [{title[1] if title else name}]({name}.html)")
        parts.append(text.strip() + "\n")
    (folder / "llms.txt").write_text("\n".join(lines) + "\n")
    (folder / "llms-full.txt").write_text("\n\n".join(parts))


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site", help="folder, which is replaced")
    parser.add_argument("--version", default="", help="name of the version; default: that of the product, as 0.1")
    parser.add_argument("--versions", type=Path, help="versions.json of the site that is published already")
    parser.add_argument(
        "--image", default="", help="published image for the compose files of the generator, with a tag"
    )
    arguments = parser.parse_args()
    known = json.loads(arguments.versions.read_text()) if arguments.versions else []
    version = arguments.version or product_version()
    count = build(arguments.output, version, known, arguments.image)
    size = sum(path.stat().st_size for path in (arguments.output / version).rglob("*") if path.is_file())
    print(f"{count} pages of version {version} in {arguments.output}, {size / 1e6:.1f} MB: open {version}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
