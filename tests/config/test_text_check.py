from iskra_server.config.text_check import line_of, lines_of, read_text

TEXT = """# a contract
[server]
port = 0
hots = "x"

[[contracts]]
energy_price = 0.3
[[contracts]]
vat_percent = 19
[contracts.energy]
price = "x"
"prices" = { "1.8.1" = 1 }
[contracts.grid]
windows = [
  { from = 1 },
]
[[contracts.feed_in.windows]]
to = 2
"""


def test_all_mistakes_of_a_text_are_found_with_their_lines() -> None:
    config, errors = read_text(TEXT)
    assert config is not None and len(config.contracts) == 2
    assert [(error.key, line_of(lines_of(TEXT), error.key)) for error in errors] == [
        ("server.port", 3),
        ("server.hots", 4),
        ("contracts.2.energy.price", 11),
        # the windows begin there
        ("contracts.2.grid.windows.1.from", 14),
        ("contracts.2.feed_in.windows.1.to", 18),
    ]
    assert "in the text must be a whole number from 1 to 65535, not 0." in str(errors[0])


def test_what_is_missing_has_the_line_of_its_table() -> None:
    lines = lines_of(TEXT)
    assert line_of(lines, "contracts.2.energy.zone") == 10
    assert line_of(lines, "contracts.2") == 8
    assert line_of(lines, "offers.1.name") is None and line_of({}, "") is None


def test_a_text_that_is_no_toml_is_one_mistake() -> None:
    for text in ("[[[", "a = ", "x" * 1000, "a = " + "[" * 5000):
        config, (error,) = read_text(text)
        assert config is None and str(error).startswith("This is n")


def test_two_meters_at_one_address_are_a_mistake() -> None:
    config, (error,) = read_text('[[meters]]\nurl = "/dev/a"\n[[meters]]\nurl = "/dev/a"\n')
    assert config is None and "Two meters have the url" in str(error)


def test_a_number_of_thousands_of_digits_is_a_mistake() -> None:
    config, (error,) = read_text("[server]\nport = " + "9" * 5000)
    assert config is None and "too many digits" in str(error)
    for number in ("0x" + "f" * 5000, "-" + "9" * 40):
        _, (error,) = read_text(f"[server]\nport = {number}")
        assert str(error) == "server.port in the text must be a whole number from 1 to 65535."


def test_the_check_ends_soon_after_a_hundred_mistakes() -> None:
    _, errors = read_text("[server]\n" + "".join(f"a{number} = 1\n" for number in range(500)))
    assert len(errors) == 101


def test_a_line_that_begins_like_a_header_takes_no_time() -> None:
    # with a pattern that tries each split of the blanks, this takes longer than the whole suite may
    text = "a = '''\n[" + " " * 11_000 + "x\n'''\n[ server ]  # of the page\nport = 1\n"
    assert lines_of(text) == {"a": 1, "server": 4, "server.port": 5}
