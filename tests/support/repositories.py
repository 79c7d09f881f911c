"""Real repositories on the stand-in git host, cloned and pushed to by the real git."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.git.commands import ENVIRONMENT, GitError


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {name}
  namespace: apps
  annotations: {{external-dns.alpha.kubernetes.io/expose: "true"}}
spec:
  parentRefs: [{{name: gw, namespace: tailscale}}]
  hostnames: [{name}.example.com]
"""


@dataclass(frozen=True)
class Clone:
    """A working copy."""

    folder: Path

    @classmethod
    def of(cls, url: str, folder: Path) -> Clone:
        """Clone a repository into a new folder."""
        clone = cls(folder)
        folder.mkdir(parents=True)
        clone.git("clone", "--quiet", url, ".")
        return clone

    @classmethod
    def new(cls, folder: Path, remotes: dict[str, str]) -> Clone:
        """Make a working copy of nothing yet, with remotes by name."""
        clone = cls(folder)
        folder.mkdir(parents=True)
        clone.git("init", "--quiet", "--initial-branch=main", ".")
        for name, url in remotes.items():
            clone.git("remote", "add", name, url)
        return clone

    def git(self, *words: str) -> str:
        """Run git there; return what it says."""
        environment = {**os.environ, **ENVIRONMENT}
        done = subprocess.run(
            ["git", "-C", self.folder, *words],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        if done.returncode:
            raise GitError(done.stderr)
        return done.stdout.strip()

    def commit(
        self,
        files: dict[str, str | None],
        branch: str = "main",
        remotes: Sequence[str] = ("origin",),
    ) -> str:
        """Commit files (None deletes one) on a branch from here, push it; return the commit."""
        self.git("checkout", "--quiet", "-B", branch)
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Change {', '.join(files)}")
        for remote in remotes:
            self.git("push", "--quiet", "--force", remote, f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")


def routes(names: str) -> dict[str, str | None]:
    """Return a file for each route, named by a letter."""
    return {f"apps/{name}.yaml": ROUTE.format(name=name) for name in names}


def clone_url(host: Any, name: str) -> str:
    """Return the address of a repository, with a token in it."""
    return f"{host.base_url.replace('://', f'://x:{host.token}@')}/{name}.git"


def admin(host: Any, path: str, document: Any) -> Any:
    """Ask the stand-in's admin API; return its answer."""
    answer = httpx.post(host.admin_url + path, json=document)
    answer.raise_for_status()
    return answer.json()
