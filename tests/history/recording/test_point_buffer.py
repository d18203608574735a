from iskra_server.history.points.points import MAX_POINTS, Point, unpack
from iskra_server.history.recording.point_buffer import PointBuffer

FLUSH_S = 64


def spans_s(buffer: PointBuffer, meter_id: str, seconds: range) -> list[int]:
    blocks = [block for second in seconds for block in buffer.add(meter_id, Point(second * 1000, ()))]
    return [block.last_s - block.first_s for block in blocks]


def test_the_first_blocks_of_meters_end_at_different_times() -> None:
    buffer = PointBuffer(FLUSH_S)
    first_spans_s = [spans_s(buffer, f"meter {number}", range(200))[0] for number in range(64)]
    assert len(set(first_spans_s)) > 60
    assert all(spans_s(PointBuffer(FLUSH_S), "meter", range(200))[:2] == [63, 63] for _ in range(2))


def test_a_block_never_exceeds_the_format() -> None:
    buffer = PointBuffer(10 * MAX_POINTS)
    blocks = [block for at in range(2 * MAX_POINTS + 1) for block in buffer.add("meter", Point(at * 1000, ()))]
    assert [block.count for block in blocks] == [MAX_POINTS, MAX_POINTS]
    assert [block.count for block in buffer.incomplete_blocks()] == [1]


def test_points_of_a_clock_that_ran_ahead_are_moved() -> None:
    buffer = PointBuffer(FLUSH_S)
    for meter_id, first_s in (("ahead", 9_000), ("right", 1_000)):
        for second in range(3):
            buffer.add(meter_id, Point((first_s + second) * 1000, ()))
    buffer.shift(5_000_000, -8_000_000)
    moments = [[point.at_ms for point in unpack(block.data)] for block in buffer.incomplete_blocks()]
    assert moments == [[1_000_000, 1_001_000, 1_002_000]] * 2
