import asyncio

from iskra_server.meter.reading import Sample
from iskra_server.reading.hub import QUEUE_LENGTH_PER_METER, Hub
from samples import METER_ID, energy, sample


def test_every_subscriber_gets_every_sample_in_order() -> None:
    async def run() -> None:
        hub = Hub()
        sent = [sample(energy(k), at_s=k) for k in range(5)]
        with hub.subscribe("one") as one, hub.subscribe("other") as other:
            for each in sent:
                hub.publish(each)
            assert [await anext(one) for _ in sent] == sent
            assert [await anext(other) for _ in sent] == sent
            waiting = asyncio.ensure_future(anext(one))
            await asyncio.sleep(0)
            hub.publish(sent[0])
            assert await asyncio.wait_for(waiting, 60) is sent[0]
        assert hub.subscriptions() == ()

    asyncio.run(run())


def test_a_slow_subscriber_loses_its_oldest_and_it_is_counted() -> None:
    async def run() -> None:
        hub = Hub()
        with hub.subscribe("slow", length=3) as slow:
            for k in range(5):
                hub.publish(sample(energy(k), at_s=k))
            assert slow.dropped == 2
            assert (await anext(slow)).monotonic_s == 2

    asyncio.run(run())


def test_more_meters_have_a_longer_queue() -> None:
    hub = Hub()
    with hub.subscribe("slow", length=3) as slow:
        for k in range(2 * QUEUE_LENGTH_PER_METER):
            hub.publish(sample(energy(k), at_s=k, meter_id=f"1 ISK 00 {k % 2:08}"))
        assert slow.dropped == 2 * QUEUE_LENGTH_PER_METER - (3 + QUEUE_LENGTH_PER_METER)


def test_the_last_sample_of_each_meter_becomes_stale() -> None:
    hub = Hub(stale_after_s=60.0)
    assert not hub.is_fresh(METER_ID, 0.0)
    assert hub.stale_after_s(METER_ID) == 60.0
    for at_s in (0.0, 1.0):
        hub.publish(sample(energy(1), at_s=at_s))
    assert hub.newest[METER_ID].monotonic_s == 1.0
    assert hub.is_fresh(METER_ID, 61.0)
    assert not hub.is_fresh(METER_ID, 61.1)
    assert hub.published == 2


def test_the_age_limit_is_that_of_the_last_sample() -> None:
    hub = Hub()
    hub.publish(sample(energy(1)), 60.0)
    hub.publish(sample(energy(2), at_s=0.5), 5.0)
    assert hub.stale_after_s(METER_ID) == 5.0
    assert not hub.is_fresh(METER_ID, 5.6)


def test_a_subscription_that_has_ended_returns_the_queued_samples_only() -> None:
    async def run() -> list[Sample]:
        hub = Hub()
        with hub.subscribe("history") as samples:
            hub.publish(first := sample(energy(1)))
            samples.end()
            hub.publish(sample(energy(2)))
            taken = [each async for each in samples]
            assert taken == [first]
            return taken

    assert len(asyncio.run(run())) == 1


def test_a_forgotten_meter_has_no_last_sample() -> None:
    hub = Hub()
    hub.publish(sample(energy(1)))
    hub.forget(METER_ID)
    hub.forget("unknown")
    assert hub.newest == {}
    assert not hub.is_fresh(METER_ID, 0)


def test_it_knows_which_meter_measures_a_solar_plant() -> None:
    hub = Hub()
    hub.publish(sample(energy(1)), is_production=True)
    assert hub.is_production(METER_ID) and not hub.is_production("1 ISK 00 12345679")
    hub.forget(METER_ID)
    assert not hub.is_production(METER_ID)
    hub.publish(sample(energy(1)), is_production=True)
    # after a reload it has another role
    hub.publish(sample(energy(2), at_s=1))
    assert not hub.is_production(METER_ID)


def test_lost_samples_of_former_subscribers_are_counted() -> None:
    hub = Hub()
    with hub.subscribe("live", 1), hub.subscribe("live", 2):
        for _ in range(3):
            hub.publish(sample(energy(1)))
        assert hub.dropped() == {"live": 3}
    assert hub.dropped() == {"live": 3}
