from decimal import Decimal

from iskra_server.fleet.central.bucket_sum import BucketSum, Completeness


def test_a_sum_of_many_meters_is_exact() -> None:
    """30 digits; Decimal rounds to 28."""
    bucket = BucketSum(0, 4)
    bucket.add(10**26, 0)
    bucket.add(1, -4)
    other = BucketSum(2, 4)
    other.add(-1, -3)
    bucket.add_sum(other)
    assert bucket.energy == Decimal("99999999999999999999999999.9991")


def test_what_is_not_counted_in_a_part_is_not_counted_in_the_sum() -> None:
    bucket, part = BucketSum(0, 4), BucketSum(2, 4)
    assert bucket.energy is None
    bucket.meters, bucket.complete, bucket.quarters, bucket.measured = 1, 1, 4, 4
    part.meters, part.quarters, part.is_counted = 1, 2, False
    bucket.add_sum(part)
    assert bucket.completeness() == Completeness(2, 1, 6, None, None)
