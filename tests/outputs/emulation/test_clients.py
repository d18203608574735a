"""The rules of answering: who may ask, when an answer is due, and what is shown."""

import asyncio
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulating import CLIENT, GridMeter, in_event_loop, running
from iskra_server.base.clock import boottime_s
from iskra_server.outputs.emulation import clients
from iskra_server.outputs.emulation.clients import MAX_CLIENTS, MAX_PER_S, Rules, adjusted, networks
from iskra_server.outputs.emulation.grid import GridReading
from samples import power

NONE = (None, None, None)
READING = GridReading(
    "m", False, 0.0, Decimal(600), None, Decimal(500), Decimal(7), None, (None, None), NONE, NONE, None
)


@pytest.mark.parametrize("address", ["192.168.1.30", "10.1.2.3", "127.0.0.1", "169.254.7.7", "fe80::1%eth0", "fd00::5"])
def test_without_a_list_every_private_address_may_ask(address: str) -> None:
    assert GridMeter().clients().may_ask(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "", "battery"])
def test_a_public_address_gets_no_answer(address: str) -> None:
    asked = GridMeter().clients()
    assert not asked.may_ask(address)
    assert asked.list() == ()


def test_a_list_of_addresses_and_networks_allows_these_alone() -> None:
    asked = GridMeter().clients(Rules(networks("192.168.1.30, 10.0.0.0/24")))
    assert [asked.may_ask(ip) for ip in ("192.168.1.30", "10.0.0.7", "192.168.1.31")] == [True, True, False]
    # a client by IPv4 of a server that listens to both
    assert [asked.may_ask(f"::ffff:{ip}") for ip in ("192.168.1.30", "192.168.1.31")] == [True, False]


def test_a_wrong_address_in_the_list_is_named() -> None:
    with pytest.raises(ValueError, match=r"'battery' is no address or network"):
        networks("192.168.1.30, battery")


def test_a_flood_of_one_client_is_limited_and_others_are_answered() -> None:
    asked = GridMeter().clients()
    answered = sum(asked.may_ask(CLIENT) for _ in range(1000))
    # some of them are earned again while the loop runs
    assert MAX_PER_S <= answered < 500
    assert asked.may_ask("192.168.1.31")


def test_only_so_many_clients_are_remembered() -> None:
    asked = GridMeter().clients()
    for number in range(MAX_CLIENTS + 50):
        asked.may_ask(f"10.0.{number // 250}.{number % 250}")
    assert len(asked.list()) == MAX_CLIENTS
    assert asked.list()[0].address == f"10.0.{305 // 250}.{305 % 250}"


@in_event_loop
async def test_no_current_reading_is_told_to_nobody() -> None:
    meter = GridMeter()
    assert await meter.clients().reading_for(CLIENT) is None
    meter.send(power(400), age_s=30)
    assert await meter.clients().reading_for(CLIENT) is None


@in_event_loop
async def test_a_client_that_knows_the_telegram_waits_for_the_next_one() -> None:
    meter = GridMeter()
    asked = meter.clients(Rules(wait_fresh_s=20))
    async with running(meter.grid.run("test")):
        meter.send(power(100))
        first = await asked.reading_for(CLIENT)
        assert first and first.power_w == 100
        second = asyncio.ensure_future(asked.reading_for(CLIENT))
        await asyncio.sleep(0.01)
        assert not second.done()
        # another client does not know it yet
        assert (other := await asked.reading_for("192.168.1.31")) and other.power_w == 100
        meter.send(power(200))
        told = await asyncio.wait_for(second, 60)
        assert told and told.power_w == 200


@in_event_loop
async def test_a_client_that_asks_again_and_again_does_not_wait_longer() -> None:
    meter = GridMeter()
    meter.send(power(100))
    asked = meter.clients(Rules(wait_fresh_s=0.2))
    assert await asked.reading_for(CLIENT)
    told = None
    # each request replaces the one before, as of a battery that asks by UDP
    async with asyncio.timeout(60):
        while not told:
            with suppress(TimeoutError):
                told = await asyncio.wait_for(asked.reading_for(CLIENT), 0.05)
    assert told.power_w == 100


@in_event_loop
async def test_an_answer_is_not_earlier_than_the_minimum_interval() -> None:
    meter = GridMeter()
    meter.send(power(100))
    asked = meter.clients(Rules(min_interval_s=0.05))
    began_s = boottime_s()
    for _ in range(2):
        await asked.reading_for(CLIENT)
    assert boottime_s() - began_s >= 0.04


@in_event_loop
async def test_what_each_client_asks_and_is_told_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [1000.0]
    monkeypatch.setattr(clients, "boottime_s", lambda: now_s[0])
    meter = GridMeter()
    meter.send(power(100), age_s=3)
    asked = meter.clients()
    for _ in range(3):
        assert asked.may_ask(CLIENT)
        await asked.reading_for(CLIENT)
        now_s[0] += 2
    (client,) = asked.list()
    assert (client.address, client.requests, client.answers) == (CLIENT, 3, 3)
    assert client.interval_s == pytest.approx(2)
    assert client.age_s and 3 <= client.age_s < 13 and client.max_age_s and client.max_age_s >= client.age_s
    now_s[0] += 4000
    assert asked.list() == ()


def test_without_rules_the_reading_is_shown_as_it_is() -> None:
    assert adjusted(READING, Rules()) is READING


def test_the_target_is_what_the_battery_leaves() -> None:
    shown = adjusted(READING, Rules(target_w=Decimal(30)))
    assert [shown.power_w, shown.mean_w, shown.import_wh] == [570, 470, 7]


def test_less_than_the_dead_band_is_shown_as_zero() -> None:
    assert adjusted(READING, Rules(target_w=Decimal(590), dead_band_w=Decimal(20))).power_w == 0
    assert adjusted(READING, Rules(target_w=Decimal(570), dead_band_w=Decimal(20))).power_w == 30


def test_each_battery_is_shown_its_share_and_the_whole_counters() -> None:
    shown = adjusted(READING, Rules(batteries=2))
    assert [shown.power_w, shown.mean_w, shown.import_wh] == [300, 250, 7]


WATTS = st.integers(-30_000, 30_000).map(Decimal)


@given(st.tuples(WATTS, WATTS, WATTS), WATTS, st.integers(0, 100), st.integers(1, 20))
def test_phases_and_total_tell_the_same(
    phases: tuple[Decimal, Decimal, Decimal], target: Decimal, dead_band: int, batteries: int
) -> None:
    total = sum(phases, Decimal(0))
    reading = GridReading("m", False, 0.0, total, phases, total, None, None, (None, None), NONE, NONE, None)
    shown = adjusted(reading, Rules(target_w=target, dead_band_w=Decimal(dead_band), batteries=batteries))
    assert shown.phases_w
    assert abs(sum(shown.phases_w, Decimal(0)) - shown.power_w) <= (abs(total) + abs(target)) * Decimal("1e-20")
