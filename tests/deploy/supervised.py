"""An app as the Supervisor of Home Assistant runs it: options, folders, devices, backup and restore."""

import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import yaml

from deploy.app_options import checked_options
from deploy.engine import Engine

# supervisor/hardware/policy.py: ttyUSB, ttyACM, ttyAMA
UART = ("c 188:* rwm", "c 166:* rwm", "c 204:* rwm")


class Supervised:
    """One installed app; `folder` is what the Supervisor keeps of it on the host."""

    def __init__(self, engine: Engine, image: str, app: Path, folder: Path) -> None:
        self.config: dict[str, Any] = yaml.safe_load((app / "config.yaml").read_text())
        # what the AppArmor profile leaves of them
        self._capabilities = re.findall(r"^ *capability (\w+),$", (app / "apparmor.txt").read_text(), re.MULTILINE)
        self.data, self.public = folder / "data", folder / "config"
        for path in (self.data, self.public):
            path.mkdir(parents=True)
        self._engine, self._image = engine, image
        self._name = f"app_{self.config['slug']}"

    def start(self, environ: dict[str, str], options: dict[str, Any] | None = None) -> None:
        """supervisor/docker/app.py; capabilities are taken away as by the app's AppArmor profile."""
        options = {**self.config["options"], **(options or {})}
        checked = checked_options(self.config["schema"], options)
        (self.data / "options.json").write_text(json.dumps(checked))
        mounts = (
            ("/dev", "/dev", True),
            (self.data, "/data", False),
            (self.public, "/config", self.config["map"][0]["read_only"]),
        )
        variables = {"TZ": "Europe/Berlin", **self.config.get("environment", {}), **environ}
        self._engine.docker(
            "run", "--detach", "--name", self._name, "--hostname", self._name.replace("_", "-"),
            # this engine has no bridge; the address of the Supervisor is an option of the server
            "--network", "host", "--init", "--cap-drop", "ALL", "--security-opt", "seccomp=unconfined",
            *(f"--cap-add={name.upper()}" for name in self._capabilities),
            *(f"--volume={source}:{target}{':ro' * is_read_only}" for source, target, is_read_only in mounts),
            *(f"--device-cgroup-rule={rule}" for rule in UART),
            *(f"--env={name}={value}" for name, value in variables.items()),
            self._image,
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._engine.docker("inspect", self._name))[0]["State"]
        return state

    def run(self, command: str) -> str:
        """In the container, without a shell, as its user."""
        return self._engine.docker("exec", self._name, *command.split())

    def log(self) -> str:
        return self._engine.docker("logs", self._name, with_errors=True)

    def stop(self) -> None:
        self._engine.docker("stop", "--time", "10", self._name)
        self._engine.docker("rm", self._name)

    def kill(self) -> None:
        self._engine.docker("rm", "--force", self._name)

    def backup(self, archive: Path) -> None:
        """supervisor/apps/app.py: hooks only while it runs; the path on the host decides what is left out."""
        is_running = self._engine.docker("ps", "--quiet", "--filter", f"name={self._name}")
        if is_running:
            self.run(self.config["backup_pre"])
        with tarfile.open(archive, "w") as packed:
            for path in sorted(self.data.rglob("*")):
                if not any(path.match(pattern) for pattern in self.config["backup_exclude"]):
                    packed.add(path, path.relative_to(self.data), recursive=False)
        if is_running:
            self.run(self.config["backup_post"])

    def restore(self, archive: Path) -> None:
        """What lies there is deleted; the app is stopped meanwhile."""
        shutil.rmtree(self.data)
        self.data.mkdir()
        with tarfile.open(archive) as packed:
            packed.extractall(self.data, filter="tar")
