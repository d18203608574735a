from datetime import date

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
    ]


def test_a_text_full_of_mistakes_has_a_hundred_of_them() -> None:
    assert len(text_findings("\n".join(f"x{number} = 1" for number in range(500)), TODAY)) == 100


def test_many_contracts_and_windows_are_checked_in_time() -> None:
    windows = ", ".join(['{ from = "1:00", to = "2:00" }'] * 300)
    (placed,) = text_findings(
        f"[[contracts]]\nvat_percent = 19\n[contracts.energy]\nkind = 'windows'\nwindows = [{windows}]", TODAY
    )
    assert "has 300 windows; at most 48 are allowed" in placed.finding.sentence and placed.line == 5
    assert len(text_findings("[[contracts]]\n" * 800, TODAY)) == 100
