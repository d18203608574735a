from iskra_server.config.text_check import line_of, read_text

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
    assert [(error.key, line_of(TEXT, error.key)) for error in errors] == [
        ("server.port", 3),
        ("server.hots", 4),
        ("contracts.2.energy.price", 11),
        # the windows begin there
        ("contracts.2.grid.windows.1.from", 14),
        ("contracts.2.feed_in.windows.1.to", 18),
    ]
    assert "in the text must be a whole number from 1 to 65535, not 0." in str(errors[0])


def test_what_is_missing_has_the_line_of_its_table() -> None:
    assert line_of(TEXT, "contracts.2.energy.zone") == 10
    assert line_of(TEXT, "contracts.2") == 8
    assert line_of(TEXT, "offers.1.name") is None and line_of("", "") is None


def test_a_text_that_is_no_toml_is_one_mistake() -> None:
    for text in ("[[[", "a = ", "x" * 1000, "a = " + "[" * 5000, "a = " + "9" * 5000):
        config, (error,) = read_text(text)
        assert config is None and str(error).startswith(("This is n", "This holds a number"))


def test_two_meters_at_one_address_are_a_mistake() -> None:
    config, (error,) = read_text('[[meters]]\nurl = "/dev/a"\n[[meters]]\nurl = "/dev/a"\n')
    assert config is None and "Two meters have the url" in str(error)


def test_a_header_may_have_spaces_and_a_comment() -> None:
    text = "[server]\n [[ contracts ]] # first\n[[contracts]]\n [ contracts . 'energy' ]\nprice = 1\n"
    assert [line_of(text, key) for key in ("contracts.1", "contracts.2.energy")] == [2, 4]
    assert line_of(text, "contracts.2.energy.price") == 5
