from web.serving import Site, arrived


def test_head_is_answered_like_get_without_a_body() -> None:
    site = Site(arrived())
    for path in ("/", "/api/v1/meters", "/healthz"):
        answer = site.get(path, "HEAD")
        assert (answer.status_code, answer.headers["content-type"]) == (200, site.get(path).headers["content-type"])


def test_a_path_without_a_route_is_not_found() -> None:
    assert Site().get("/api/electricity").status_code == 404
