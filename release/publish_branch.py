"""Makes a folder the content of a branch of its own: `publish_branch.py FOLDER BRANCH ADDRESS`.

One commit on top of what the branch had; none if nothing changed. `--keep` leaves what the folder does not bring: other
files and folders of the first level. The branch is created where it is missing, and never pushed with force.
"""

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from checkout import REFUSED, ReleaseError, git

AUTHOR = ("-c", "user.name=release", "-c", "user.email=release@localhost")


def publish(folder: Path, branch: str, address: str, message: str, *, keep: bool = False) -> bool:
    """Whether there was anything to push."""
    if not folder.is_dir() or not any(folder.iterdir()):
        raise ReleaseError(f"{folder} is no folder with files; build it first.")
    with TemporaryDirectory() as name:
        clone = Path(name)
        git("init", "--quiet", f"--initial-branch={branch}", root=clone)
        if git("ls-remote", "--heads", address, branch, root=clone):
            git("fetch", "--quiet", "--depth=1", address, branch, root=clone)
            git("reset", "--quiet", "--hard", "FETCH_HEAD", root=clone)
        replaced = [entry.name for entry in folder.iterdir()] if keep else ["."]
        git("rm", "--quiet", "-r", "--ignore-unmatch", "--", *replaced, root=clone)
        shutil.copytree(folder, clone, dirs_exist_ok=True)
        git("add", "--all", "--force", root=clone)
        if not git("status", "--porcelain", root=clone):
            return False
        git(*AUTHOR, "commit", "--quiet", f"--message={message}", root=clone)
        git("push", "--quiet", address, f"HEAD:refs/heads/{branch}", root=clone)
        return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("branch")
    parser.add_argument("address", help="of the repository, as git takes it")
    parser.add_argument("--keep", action="store_true", help="leave what FOLDER does not bring")
    given = parser.parse_args()
    try:
        message = f"Publish what commit {git('rev-parse', 'HEAD')} builds"
        pushed = publish(given.folder, given.branch, given.address, message, keep=given.keep)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return REFUSED
    print(f"{given.branch}: {'pushed' if pushed else 'nothing has changed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
