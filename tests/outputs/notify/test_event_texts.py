"""Texts as people read them; the other modules' tests have those of their rules."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from iskra_server.outputs.notify.event_texts import base_load_text, gone_text, heard_text

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def test_what_began_on_another_day_says_so() -> None:
    since, until = at("2026-11-26 23:10"), at("2026-11-27 06:40")
    assert (
        gone_text("House", since, until)["en"].body == "The fault lasted from Thu 26 Nov, 23:10 to 06:40 (7 h 30 min)."
    )
    assert gone_text("Haus", since, until)["de"].body == (
        "Sie dauerte von Do 26. Nov., 23:10 bis 06:40 Uhr (7 Std. 30 Min.)."
    )


def test_over_a_change_of_the_clocks_the_time_that_passed_counts() -> None:
    # at 2:00 it is 3:00
    passed = heard_text("House", at("2026-03-29 01:30"), at("2026-03-29 03:30"))
    assert "from 01:30 to 03:30 (1 h)" in passed["en"].body


def test_a_rise_of_the_base_load_says_what_it_is_in_a_year() -> None:
    text = base_load_text("House", Decimal(172), Decimal(131))["en"]
    assert text.title == "House: base load up by 31.3 %"
    assert text.body.endswith("If it stays so, that is 359 kWh more in a year.")
