import pytest

from manifest import create_command

DIGESTS = [f"sha256:{digit * 64}" for digit in "ab"]


def test_every_tag_names_all_images() -> None:
    assert create_command("registry.example/owner/name", ["1.2.3", "latest"], DIGESTS) == [
        *("docker", "buildx", "imagetools", "create"),
        *("--tag", "registry.example/owner/name:1.2.3", "--tag", "registry.example/owner/name:latest"),
        *(f"registry.example/owner/name@{digest}" for digest in DIGESTS),
    ]


@pytest.mark.parametrize("wrong", ["", "latest", "sha256:abc", f"sha256:{'A' * 64}"])
def test_what_is_no_digest_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no digest"):
        create_command("name", ["1"], [*DIGESTS, wrong])
