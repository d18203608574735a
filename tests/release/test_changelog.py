import changelog

TEXT = """# Changelog

Introduction.

## [Unreleased]

## [0.2.0] - 2027-01-31

### New

- A.

## [0.1.0]

- B.
"""


def test_sections_are_in_order_with_date_and_text() -> None:
    assert [(section.name, section.date, section.text) for section in changelog.sections(TEXT)] == [
        ("Unreleased", "", ""),
        ("0.2.0", "2027-01-31", "### New\n\n- A."),
        ("0.1.0", "", "- B."),
    ]


def test_a_section_is_found_by_its_version() -> None:
    found = changelog.section(TEXT, "0.1.0")
    assert found and found.text == "- B."
    assert changelog.section(TEXT, "0.1") is None
    assert changelog.sections("no section") == []
