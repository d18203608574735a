import json
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from iskra_server.config import describe_tables
from iskra_server.cost.text_findings import text_findings

TODAY = date(2027, 1, 1)


def test_findings_of_keys_and_of_contracts_have_their_lines() -> None:
    text = """
[[contracts]]
begin = 2026-01-01
[contracts.energy]
kind = "spot"
[contracts.levies.2026]
tax = 0.0205
"""
    found = [(placed.finding.level, placed.finding.key, placed.line) for placed in text_findings(text, TODAY)]
    assert found == [
        ("error", "contracts.1.begin", 3),
        ("error", "contracts.1.energy.zone", 4),
        ("warning", "contracts.1.vat_percent", 2),
        ("warning", "contracts.1.levies", 2),
        ("warning", "contracts.1.begins", 2),
    ]


def test_a_key_with_a_mistake_has_no_further_findings() -> None:
    text = "[[contracts]]\nbegins = 2026-01-01\nvat_percent = 119\n[contracts.energy]\nkind = 'window'\ndefault = 0.2\n"
    assert [placed.finding.key for placed in text_findings(text, TODAY)] == [
        "contracts.1.vat_percent",
        "contracts.1.energy.kind",
    ]


def test_a_text_that_is_no_toml_has_the_line_that_is_wrong() -> None:
    for text, line in (
        ("[a]\nb = 1\nc = 1,5\nd = 2\n", 3),
        ("a = 1\nb = [\n  2,\n", 3),
        ("a = 1\na = 2\n", 2),
        ("[[[", 1),
    ):
        (placed,) = text_findings(text, TODAY)
        assert (placed.finding.key, placed.line) == ("", line)


def test_a_text_full_of_mistakes_has_a_hundred_of_them() -> None:
    assert len(text_findings("\n".join(f"x{number} = 1" for number in range(500)), TODAY)) == 100


def test_many_contracts_and_windows_are_checked_in_time() -> None:
    windows = ", ".join(['{ from = "1:00", to = "2:00" }'] * 300)
    (placed,) = text_findings(
        "[[contracts]]\nbegins = 2026-01-01\nvat_percent = 19\n"
        f"[contracts.energy]\nkind = 'windows'\nwindows = [{windows}]",
        TODAY,
    )
    assert "has 300 windows; at most 48 are allowed" in placed.finding.sentence and placed.line == 6
    assert len(text_findings("[[contracts]]\n" * 800, TODAY)) == 100


_parts = {part for key in describe_tables() for part in key.path.split(".")}
_names = st.sampled_from(sorted(_parts | {"energy_price", "begins", "levies", "2026", "x"}))
_values = st.recursive(
    st.one_of(
        st.sampled_from(["spot", "windows", "registers", "17:00", "24:00", "1-12", "mon-sun", "DE-LU", "", "\x01"]),
        st.booleans(),
        st.integers(-1, 30),
        st.floats(-1e10, 1e10),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_names | st.just("1.8.1"), inner, max_size=4),
    max_leaves=12,
)


def toml(value: Any) -> str:
    """As arrays and inline tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(inner)}" for name, inner in value.items()) + "}"
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else json.dumps(value)


@given(st.lists(st.dictionaries(_names, _values, max_size=5), max_size=3), st.sampled_from(["contracts", "offers"]))
def test_whatever_a_text_holds_it_has_findings_in_sentences(entries: list[dict[str, Any]], section: str) -> None:
    for placed in text_findings(f"{section} = {toml(entries)}", TODAY):
        assert placed.finding.sentence.isprintable() and placed.finding.sentence.endswith((".", "?"))
        assert len(placed.finding.sentence) < 3000 and placed.finding.key
