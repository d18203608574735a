from command import Run


def test_it_needs_a_broker_and_a_database(call: Run) -> None:
    done = call("collect")
    assert (done.returncode, "IES_COLLECT_URL" in done.stderr) == (2, True)
    done = call("collect", "--broker", "mqtt://localhost")
    assert (done.returncode, "IES_DATABASE_URL" in done.stderr) == (2, True)


def test_a_wrong_address_is_one_sentence(call: Run) -> None:
    done = call("collect", "--broker", "http://x", IES_DATABASE_URL="postgresql://x/y")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "collect: the url must be like" in done.stderr
