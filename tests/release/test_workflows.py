"""What actionlint and zizmor (make check) do not hold: our own rules, and that steps call what exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def load(workflow: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(workflow.read_text())
    return content


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for workflow in WORKFLOWS:
        for name, job in load(workflow)["jobs"].items():
            yield f"{workflow.stem}: {name}", job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs():
        for step in job.get("steps", []):
            yield name, step


def test_there_are_the_workflows_of_the_docs() -> None:
    assert [workflow.stem for workflow in WORKFLOWS] == ["audit", "codeql", "lint", "release", "scorecard", "test"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.stem)
def test_every_action_is_pinned_by_its_digest_with_the_version_beside_it(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text())
    pinned = r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/workflows/\w+\.yml"
    assert used and [action for action in used if not re.fullmatch(pinned, action)] == []


def test_an_action_has_one_digest_everywhere() -> None:
    found: dict[str, set[str]] = {}
    for workflow in WORKFLOWS:
        for repository, digest in re.findall(r"uses: ([\w.-]+/[\w.-]+)\S*@(.+)", workflow.read_text()):
            found.setdefault(repository, set()).add(digest)
    assert {repository: digests for repository, digests in found.items() if len(digests) > 1} == {}


def test_nothing_is_granted_at_the_top_and_each_job_says_what_it_needs() -> None:
    assert [workflow.stem for workflow in WORKFLOWS if load(workflow)["permissions"] != {}] == []
    assert [name for name, job in jobs() if "permissions" not in job] == []


def test_each_job_that_runs_something_has_a_timeout() -> None:
    assert [name for name, job in jobs() if "steps" in job and "timeout-minutes" not in job] == []


def test_scripts_contain_no_text_of_others() -> None:
    assert [(name, step["run"]) for name, step in steps() if "${{" in step.get("run", "")] == []


def test_a_command_before_a_pipe_may_fail_its_step() -> None:
    """Only bash that is named has pipefail."""
    for workflow in WORKFLOWS:
        content = load(workflow)
        named = content.get("defaults", {}).get("run", {}).get("shell") == "bash"
        scripts = [step["run"] for job in content["jobs"].values() for step in job.get("steps", []) if "run" in step]
        assert named or not [script for script in scripts if re.search(r"[^|]\|[^|]", script)], workflow.name


def test_no_checkout_keeps_its_token() -> None:
    checkouts = [(name, step) for name, step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) > 10
    assert [name for name, step in checkouts if step["with"]["persist-credentials"] is not False] == []


def test_what_steps_call_exists() -> None:
    scripts = [step["run"] for _, step in steps() if "run" in step]
    called = {target for script in scripts for target in re.findall(r"\bmake ((?:[a-z-]+ ?)+)", script)}
    targets = {target for line in TARGETS for target in line.split()}
    assert len(called) > 8
    assert {target for line in called for target in line.split()} - targets == set()
    files = {file for script in scripts for file in re.findall(r"\brelease/\w+\.py", script)}
    assert files and [file for file in files if not (ROOT / file).exists()] == []


def test_a_job_downloads_what_a_job_before_it_uploads() -> None:
    released = load(ROOT / ".github/workflows/release.yml")["jobs"]

    def before(name: str) -> set[str]:
        needs = released[name].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct.union(*map(before, direct))

    def artifacts(name: str, action: str) -> set[str]:
        used = [
            step["with"] for step in released[name].get("steps", []) if f"/{action}-artifact@" in step.get("uses", "")
        ]
        return {re.sub(r"\$\{\{.*?\}\}", "*", given.get("name") or given["pattern"]) for given in used}

    downloads = {name: artifacts(name, "download") for name in released if artifacts(name, "download")}
    assert len(downloads) == 4
    for name, wanted in downloads.items():
        assert wanted <= set().union(*(artifacts(job, "upload") for job in before(name))), name


def test_only_reviewed_jobs_of_a_release_make_something_public() -> None:
    """An image without a tag, and a draft, are not public."""
    released = load(ROOT / ".github/workflows/release.yml")["jobs"]
    assert {name: job["environment"] for name, job in released.items() if "environment" in job} == {
        "registry": "registry",
        "pypi": "pypi",
        "pages": "pages",
    }
    after = {name for name, job in released.items() if {"registry", "pypi"} <= set(job.get("needs", []))}
    assert after == {"release"}
    assert all("release" in released[name]["needs"] for name in ("app", "pages"))


def test_owner_and_repository_are_not_written_down() -> None:
    known = ["actions/", "docker/", "github/", "ossf/", "pypa/"]
    for workflow in WORKFLOWS:
        names = re.findall(r"(?:ghcr\.io|github\.com)/(\S+)", workflow.read_text())
        assert [name for name in names if not name.startswith(("${", "$", *known))] == []
