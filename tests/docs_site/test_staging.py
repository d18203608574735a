"""Every page has a place on the documentation site, and each of its links leads somewhere there."""

import re
from pathlib import Path

import pytest

import staging
from staging import Page, StagingError, check_navigation, outside_code, pages, stage

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two English pages, a German one, a picture in light and dark, and a file outside docs/."""
    files = {
        "docs/index.md": "# Start\n\n[Deutsch](de/index.md)\n\n[meters](meters.md#the-pin), [log](../deploy/acl)\n",
        "docs/meters.md": "# Meters\n\n## The PIN\n\n![now](now-light.png)\n\n```text\n[no](link.md)\n```\n",
        "docs/de/index.md": "# Start\n\n[English](../index.md)\n\n[PIN](../meters.md#the-pin), ![x](../now-dark.png)\n",
        "docs/now-light.png": "light",
        "docs/now-dark.png": "dark",
        "deploy/acl": "topic",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(staging, "ROOT", tmp_path)
    monkeypatch.setattr(staging, "DOCS", tmp_path / "docs")
    return tmp_path


def test_every_page_of_the_repository_can_be_staged(tmp_path: Path) -> None:
    found = stage(tmp_path)
    assert len(found["en"]) > 35
    for language, names in found.items():
        for name in names:
            text = (tmp_path / language / f"{name}.md").read_text()
            inside = outside_code(text, lambda part: "".join(re.findall(r"\]\((?!https?:|mailto:)[^)]+\)", part)))
            for target in re.findall(r"\]\(([^)#]+)", inside):
                assert (tmp_path / language / name).parent.joinpath(target).exists(), (name, target)


def test_links_lead_to_pages_to_the_other_language_and_to_copies(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    stage(output)
    start = (output / "en" / "index.md").read_text()
    assert "Deutsch" not in start
    assert "[meters](meters.md#the-pin), [log](files/deploy/acl)" in start
    assert (output / "en" / "files" / "deploy" / "acl").read_text() == "topic"
    german = (output / "de" / "index.md").read_text()
    assert '<a href="../meters.html#the-pin" hreflang="en">PIN</a>, ![x](pictures/now-dark.png)' in german


def test_a_picture_that_exists_light_and_dark_follows_the_reader(project: Path, tmp_path: Path) -> None:
    stage(tmp_path / "out")
    meters = (tmp_path / "out" / "en" / "meters.md").read_text()
    assert "![now](pictures/now-light.png){.only-light} ![now](pictures/now-dark.png){.only-dark}" in meters
    assert "[no](link.md)" in meters


def test_the_first_page_has_the_navigation(project: Path, tmp_path: Path) -> None:
    stage(tmp_path / "out")
    assert ":caption: Head and meter\n\nmeters\n" in (tmp_path / "out" / "en" / "index.md").read_text()


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("gone.md", "docs/index.md links to gone.md, which does not exist."),
        ("../deploy", "docs/index.md links to a folder, deploy."),
        ("../NOTES.md", "docs/index.md links to NOTES.md, which is no page of the site"),
    ],
)
def test_a_link_that_leads_nowhere_is_one_sentence(project: Path, tmp_path: Path, target: str, sentence: str) -> None:
    (project / "NOTES.md").write_text("# Notes\n")
    (project / "docs" / "index.md").write_text(f"# Start\n\n[x]({target})\n")
    with pytest.raises(StagingError, match=re.escape(sentence)):
        stage(tmp_path / "out")


def test_a_page_without_a_place_is_one_sentence(project: Path) -> None:
    (project / "docs" / "new.md").write_text("# New\n")
    with pytest.raises(StagingError, match="does not name each page once: \\['new'\\]"):
        check_navigation(pages())


def test_a_german_page_without_an_english_one_is_one_sentence(project: Path) -> None:
    (project / "docs" / "de" / "meters-pin.md").write_text("# PIN\n")
    with pytest.raises(StagingError, match="without an English one of that name: \\['meters-pin'\\]"):
        check_navigation(pages())


def test_html_of_a_picture_for_two_schemes_is_markdown_on_the_site(project: Path) -> None:
    html = '<picture>\n  <source srcset="now-dark.png">\n  <img src="now-light.png" alt="The page">\n</picture>\n'
    (project / "docs" / "meters.md").write_text(f"# Meters\n\n{html}")
    found = pages()
    text = Page("en", "meters", found["en"]["meters"], found, project / "out").text()
    assert "![The page](pictures/now-light.png){.only-light}" in text and "<picture>" not in text
