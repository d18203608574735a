import pytest

from iskra_server.redact.elements import masked_elements


@pytest.mark.parametrize(
    ("element", "masked"),
    [
        ("bytes 0006190900ff", "bytes 0006190900ff"),
        ("bytes 07ea090c06080f1e00ff8880", "bytes 07ea090c06080f1e00ff8880"),
        ("bytes 49534b31303330373037303030303031", "bytes 00000000000000000000000000000000"),
        ("text 4d61696572", "text 0000000000"),
        ("bytes", "bytes"),
        ("u4 70347617", "u4 70300000"),
        ("u4 999999", "u4 999999"),
        ("i4 -70347617", "i4 -70300000"),
        ("boolean True", "boolean True"),
        ("null", "null"),
        ("array of 3", "array of 3"),
    ],
)
def test_an_element_keeps_its_type_and_says_nobodys_name(element: str, masked: str) -> None:
    assert list(masked_elements([element])) == [masked]
