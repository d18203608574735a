import gzip

from iskra_server.web.http.compressed import compressed

LONG = b"0123456789abcdef" * 100


def test_what_is_worth_it_is_compressed_for_those_who_take_it() -> None:
    answer = compressed(LONG, "text/plain", {"etag": '"1"'}, "br, gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-length"] == str(len(answer.body)) and len(answer.body) < len(LONG)
    assert gzip.decompress(bytes(answer.body)) == LONG


def test_others_get_it_as_it_is() -> None:
    for body, accepted in ((LONG, ""), (LONG, "br"), (b"short", "gzip")):
        answer = compressed(body, "text/plain", {}, accepted)
        assert (bytes(answer.body), "content-encoding" in answer.headers) == (body, False)


def test_a_cache_is_told_that_it_depends_on_who_asks() -> None:
    assert compressed(LONG, "text/plain", {"etag": '"1"'}, "").headers["vary"] == "accept-encoding"
    assert compressed(LONG, "text/plain", {"etag": '"1"'}, "").headers["etag"] == '"1"'
