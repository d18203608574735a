from typing import Any

from iskra_server.diagnosis.status import Status
from samples import METER_ID, power
from web.serving import Site, arrived, status

PLANT, BALCONY = "1 ISK 00 20000001", "1 ISK 00 20000002"


def plant(meter_id: str | None = PLANT, **changes: Any) -> Status:
    return status(**{"meter_id": meter_id, "source": "plant", "port": "/dev/ttyUSB1", "role": "production", **changes})


def site(grid_w: int, plant_w: int, *statuses: Status, plant_age_s: float = 1.0) -> Site:
    site = Site(arrived(power(grid_w)), arrived(power(plant_w), meter_id=PLANT, age_s=plant_age_s))
    site.statuses = list(statuses or (status(), plant()))
    return site


def test_what_the_plant_produces_flows_to_the_house_and_to_the_grid() -> None:
    answer = site(-1900, -2350).get("/api/v1/solar").json()
    flows = {name: answer[name] for name in ("grid_w", "production_w", "consumption_w", "self_consumption_w")}
    assert flows == {"grid_w": -1900, "production_w": 2350, "consumption_w": 450, "self_consumption_w": 450}
    assert 1 <= answer["age_s"] < 60 and answer["simulated"] is False
    assert (answer["grid"]["meter"], answer["production"][0]["power_w"]) == (METER_ID, 2350)


def test_a_meter_that_is_wired_the_other_way_round_counts_production_as_import() -> None:
    answer = site(300, 200, status(), plant(production_counter="import")).get("/api/v1/solar").json()
    assert (answer["production_w"], answer["consumption_w"], answer["self_consumption_w"]) == (200, 500, 200)


def test_what_an_inverter_draws_at_night_is_consumption() -> None:
    answer = site(305, 5).get("/api/v1/solar").json()
    assert (answer["production_w"], answer["consumption_w"], answer["self_consumption_w"]) == (0, 305, 0)


def test_several_plants_are_added() -> None:
    both = Site(
        arrived(power(100)), arrived(power(-400), meter_id=PLANT), arrived(power(-600), meter_id=BALCONY, age_s=3)
    )
    both.statuses = [status(), plant(), plant(BALCONY)]
    answer = both.get("/api/v1/solar").json()
    assert (answer["production_w"], answer["consumption_w"]) == (1000, 1100)
    assert [part["meter"] for part in answer["production"]] == [PLANT, BALCONY]


def test_while_one_of_them_is_not_current_there_is_no_flow() -> None:
    answer = site(-1900, -2350, plant_age_s=61).get("/api/v1/solar").json()
    assert set(answer) == {"grid", "production", "simulated"}
    assert (answer["grid"]["power_w"], answer["production"][0]) == (
        -1900,
        {"meter": PLANT, "fresh": False, "age_s": answer["production"][0]["age_s"]},
    )
    unread = site(-1900, -2350, status(meter_id=None), plant()).get("/api/v1/solar").json()
    assert "consumption_w" not in unread and unread["grid"] == {"meter": None, "fresh": False, "age_s": None}


def test_what_a_meter_without_export_does_not_see_is_unknown() -> None:
    one_way = status(is_import_only=True)
    assert "consumption_w" not in site(0, -2350, one_way, plant()).get("/api/v1/solar").json()
    assert site(100, -2350, one_way, plant()).get("/api/v1/solar").json()["consumption_w"] == 2450
    assert site(0, -2350).get("/api/v1/solar").json()["consumption_w"] == 2350


def test_without_a_plant_or_without_a_meter_at_the_grid_it_is_not_found() -> None:
    for statuses in ([status()], [plant()]):
        answer = site(1, 2, *statuses).get("/api/v1/solar")
        assert (answer.status_code, answer.json()["reason"]) == (404, "no_production_meter")
    assert 'role = "production"' in answer.json()["detail"]
    assert site(1, 2).get("/api/v1/solar?x=1").status_code == 400


def test_the_meter_of_a_plant_is_never_the_first_one_by_chance() -> None:
    """Its head may deliver before that of the meter at the grid has been found."""
    alone = Site(arrived(power(-2350), meter_id=PLANT))
    alone.statuses = [status(meter_id=None, port="/dev/ttyUSB0"), plant()]
    answer = alone.get("/api/electricity/cumulated")
    assert (answer.status_code, answer.json()["reason"]) == (503, "no_reading")


def test_the_meter_of_a_plant_says_what_it_is() -> None:
    site = Site(arrived())
    site.hub.publish(arrived(power(-2350), meter_id=PLANT), is_production=True)
    site.statuses = [status(), plant()]
    assert [meter.get("role") for meter in site.get("/api/v1/meters").json()["meters"]] == [None, "production"]
    assert site.get(f"/api/v1/meters/{PLANT}").json()["role"] == "production"
    assert b'"role":"production"' in site.get("/api/v1/live?brief=yes").content
