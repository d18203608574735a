"""What the site gets besides the pages that Sphinx makes; the whole of it is built by test_site.py."""

import json
import re
from pathlib import Path

from iskra_server import __version__
from make_site import accessible, product_version, write_entrance, write_generator


def test_the_generator_has_every_module_that_it_imports(tmp_path: Path) -> None:
    write_generator(tmp_path)
    modules = list((tmp_path / "generator").rglob("*.js"))
    assert len(modules) > 15
    for module in modules:
        for name in re.findall(
            r"^(?:import|export)[^\"]*\"(\.[^\"]+)\"|import\(\"(\.[^\"]+)\"\)", module.read_text(), re.M
        ):
            assert (module.parent / "".join(name)).exists(), (module.relative_to(tmp_path), name)


def test_the_generator_names_the_image_that_was_published(tmp_path: Path) -> None:
    write_generator(tmp_path, "ghcr.io/meyer/iskra-electricity-server:latest")
    reference = (tmp_path / "generator/js/reference.js").read_text()
    assert '"image": "${ISKRA_IMAGE:-ghcr.io/meyer/iskra-electricity-server:latest}"' in reference
    assert "{ISKRA_IMAGE:-iskra-electricity-server:latest}" not in reference


def test_the_generator_is_there_in_both_languages_and_may_load_only_what_is_its_own(tmp_path: Path) -> None:
    write_generator(tmp_path)
    for language, place in (("en", "generator"), ("de", "de/generator")):
        page = tmp_path / place / "index.html"
        text = page.read_text()
        assert f'<html lang="{language}"' in text and "default-src 'none'; script-src 'self'" in text
        for target in re.findall(r'(?:src|href)="([^"]+\.(?:js|css|svg))"', text):
            assert (page.parent / target).exists(), target


def test_the_folder_of_the_site_is_major_and_minor_of_the_version() -> None:
    assert __version__.startswith(f"{product_version()}.")


def test_only_the_newest_version_is_the_latest(tmp_path: Path) -> None:
    known = [{"version": "0.9", "path": "0.9/"}, {"version": "0.10", "path": "0.10/"}]
    for version in ("0.9", "0.11"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "index.html").write_text(version)
    write_entrance(tmp_path, "0.9", known)
    assert not (tmp_path / "latest").exists() and not (tmp_path / "index.html").exists()
    write_entrance(tmp_path, "0.11", known)
    assert (tmp_path / "latest" / "index.html").read_text() == "0.11"
    assert "latest/" in (tmp_path / "index.html").read_text()
    versions = json.loads((tmp_path / "versions.json").read_text())
    assert [row["version"] for row in versions] == ["0.11", "0.10", "0.9"]
    # else Pages serves no _static
    assert (tmp_path / ".nojekyll").exists()


def test_code_blocks_can_be_reached_by_keyboard() -> None:
    assert accessible("<pre><span>", "en") == '<pre tabindex="0"><span>'
