from diagnosis.well import facts


def test_noise_between_telegrams_does_not_count_against_the_head() -> None:
    assert facts().share_good == 0.99
    assert facts(telegrams=0, faults={"noise": 9}).share_good is None
