"""Set-up, the wall display and the page of the API: on a phone, in German, locked, silent."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from running import fetch, serving, until
from web.browser.accessibility import accessibility_faults
from web.browser.conftest import Meter, Open, is_ready, watched

PHONE = {"width": 390, "height": 844}


def test_every_page_of_set_up_can_be_reached_on_a_phone(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/setup", viewport=PHONE, locale="de-DE")
    links = page.locator("main nav.kinds a")
    expect(links).to_have_count(5)
    for link in links.all():
        box = link.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], link.text_content()


def test_no_check_covers_another_in_german(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/setup", locale="de-DE")
    expect(page.locator(".twelve li")).to_have_count(12)
    for width in (390, 700, 900, 1000, 1100, 1199, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        # in one go: the page draws them again with every status
        overlaps, is_verdict_first = page.evaluate(
            """() => {
                 const boxes = [...document.querySelectorAll(".twelve li span:nth-child(2)")]
                   .map((node) => { const range = document.createRange(); range.selectNodeContents(node);
                                    return range.getBoundingClientRect(); });
                 const top = (name) => document.querySelector(name).getBoundingClientRect().top;
                 return [boxes.filter((a, i) => boxes.some((b, k) => k > i && a.left < b.right && b.left < a.right
                                                                     && a.top < b.bottom && b.top < a.bottom)).length,
                         top(".verdict") < top(".twelve")];
               }"""
        )
        assert overlaps == 0, width
        # what is wrong stands before how it was found
        assert is_verdict_first, width


@pytest.mark.slow
def test_the_diagnosis_shows_who_asks_an_emulated_device(open_page: Open, meter: Meter, ecotracker: int) -> None:
    def is_answered() -> bool:
        meter.send()
        return fetch(f"http://127.0.0.1:{ecotracker}/v1/json").status_code == 200

    until(is_answered)
    for options in ({"viewport": PHONE, "locale": "de-DE"}, {}):
        page = open_page("#/setup", **options)
        row = page.locator("tr", has_text="127.0.0.1").locator("td")
        expect(row).to_have_count(3)
        expect(row.nth(1)).to_have_text(re.compile(r"^[1-9]\d* / [1-9]\d*$"))
        expect(row.nth(2)).to_have_text(re.compile(r"^[\d.,]+ m?s, max\.? [\d.,]+ m?s$"))
        expect(page.locator(".checks li", has_text="EcoTracker")).to_contain_text(re.compile(r"\d+ (of|von) \d+"))
        # the test's meter sends no 2.8.0
        expect(page.locator(".notice", has_text="EcoTracker")).to_contain_text("target_w")
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
        assert accessibility_faults(page) == []


def test_without_a_head_there_is_a_sentence_and_no_percentage(browser: Browser) -> None:
    with serving("serve", "/dev/ttyNONE") as server, watched(browser, server.url) as opened:
        page = opened("#/setup/head", locale="de-DE")
        expect(page.locator(".big")).to_have_text("Es kommen keine Telegramme an.", use_inner_text=True)


def test_a_locked_meter_in_german_on_a_phone_and_on_a_wall(browser: Browser, tmp_path: Path) -> None:
    environ = {"IES_HISTORY_ENABLED": "true", "IES_DATA_DIR": str(tmp_path)}
    with serving("serve", "simulator:MT631-locked", environ=environ) as server, watched(browser, server.url) as opened:
        is_ready(server)
        page = opened("#/setup/locked", viewport=PHONE, locale="de-DE")
        expect(page.locator(".steps li")).to_have_count(6)
        covered = page.evaluate(
            """() => [...document.querySelectorAll(".steps li")].filter((step) => {
                 const light = step.querySelector(".flash")?.getBoundingClientRect();
                 const range = document.createRange();
                 range.selectNodeContents(step.querySelector("strong"));
                 return light && [...range.getClientRects()].some((line) => line.right > light.left);
               }).length"""
        )
        assert covered == 0
        wall = opened("#/wall", viewport={"width": 1280, "height": 800})
        expect(wall.locator(".warning strong")).to_contain_text("whole kWh")
        expect(wall.locator(".warning")).not_to_contain_text("iskra-server")
        until(lambda: wall.evaluate("document.documentElement.scrollHeight") == 800)


def test_the_wall_display_has_a_clock_and_compares_today_with_yesterday(open_page: Open, meter: Meter) -> None:
    meter.send()
    page = open_page("#/wall", viewport={"width": 1024, "height": 600}, color_scheme="dark")
    expect(page.locator(".clock")).to_have_text(re.compile(r"^\d\d?:\d\d$"))
    expect(page.locator(".trend")).to_have_text(re.compile(r"yesterday$"))
    until(lambda: page.evaluate("document.documentElement.scrollHeight") == 600)


@pytest.mark.slow
def test_the_page_of_the_api_has_the_frame_of_the_others_and_finds_a_route(open_page: Open) -> None:
    page = open_page("docs", locale="de-DE")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("header nav a")).to_have_text(["Jetzt", "Verlauf", "Kosten", "Einrichten"])
    expect(page.locator("footer")).to_contain_text("Wandanzeige")
    page.get_by_label("Adresse suchen").fill("valid quality/day")
    expect(page.locator(".operation:visible .path")).to_have_text(["GET /api/v1/quality/day"])
    page.get_by_label("Adresse suchen").fill("no such route")
    expect(page.get_by_text("Keine Adresse enthält diese Wörter.")).to_be_visible()
    page.locator("header nav a", has_text="Einrichten").click()
    expect(page.locator(".twelve")).to_be_visible()
