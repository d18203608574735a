"""The power of several meters together, over HTTP."""

from iskra_server.history.store.store import Store
from samples import METER_ID, SERVER_ID, power
from web.past import INFO, counted, info
from web.serving import Site, arrived, status

OTHER = "1 ISK 00 12345679"
BOTH = "meters=1ISK0012345678,1ISK0012345679"
DAY = "from=2025-06-02T10:00:00Z&to=2025-06-02T10:45:00Z&bucket=15min"


def test_the_power_is_the_sum_of_all_meters_that_are_current() -> None:
    site = Site(arrived(power(1243)), arrived(power(-200), meter_id=OTHER, age_s=2))
    answer = site.get(f"/api/v1/sum?{BOTH}").json()
    assert (answer["power_w"], [part["power_w"] for part in answer["parts"]]) == (1043, [1243, -200])
    assert 2 <= answer["age_s"] < 60 and [part["meter"] for part in answer["parts"]] == [METER_ID, OTHER]


def test_without_one_of_the_powers_there_is_no_sum() -> None:
    old = Site(arrived(power(1243)), arrived(power(200), meter_id=OTHER, age_s=61))
    answer = old.get(f"/api/v1/sum?{BOTH}").json()
    assert "power_w" not in answer and "age_s" not in answer
    assert [part.get("power_w") for part in answer["parts"]] == [1243, None]
    assert [part["fresh"] for part in answer["parts"]] == [True, False]
    unread = Site(arrived(power(1243)))
    unread.statuses = [status(), status(meter_id=OTHER)]
    assert "power_w" not in unread.get(f"/api/v1/sum?{BOTH}").json()


def test_what_is_no_sum_of_meters_is_refused(store: Store) -> None:
    store.write([*counted([0, 10]), *counted([0, 10], meter_id=OTHER)], [INFO, info(OTHER)])
    twice = f"1ISK0012345678,{SERVER_ID.hex()}"
    for path, more in (("/api/v1/sum", ""), ("/api/v1/sum/energy", f"&{DAY}")):
        site = Site(arrived(), arrived(meter_id=OTHER), history=store)
        for meters, code, reason in (
            ("", 400, "names 0 meters; name 2 to 20"),
            ("1ISK0012345678", 400, "names 1 meters"),
            (twice, 400, f"Meter {METER_ID} would count twice"),
            ("1ISK0012345678,1ISK0000000000", 404, "There is no meter '1ISK0000000000'. Known meters: "),
        ):
            answer = site.get(f"{path}?meters={meters}{more}")
            assert (answer.status_code, reason in answer.json()["detail"]) == (code, True), answer.text
    assert site.get("/api/v1/sum?meters=a,b&x=1").status_code == 400
