"""The `git` binary, and what we ask of bare repositories with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from pathlib import Path

NOTHING = "0" * 40
ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    **{
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Sandbox"), ("EMAIL", "sandbox@example.com"))
    },
}


class GitError(Exception):
    """`git` refused; the sentence is its own."""


def is_installed() -> bool:
    """Say whether there is a `git` here."""
    return shutil.which("git") is not None


def git(folder: Path, *words: str, stdin: bytes | None = None) -> bytes:
    """Run git in a folder and return its output; raise GitError."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, **ENVIRONMENT},
    )
    if done.returncode:
        raise GitError(done.stderr.decode(errors="replace").strip())
    return done.stdout


async def ask(folder: Path, *words: str) -> bytes:
    """Run git beside the event loop."""
    return await asyncio.to_thread(git, folder, *words)


async def commit_of(folder: Path, ref: str) -> str:
    """Return the commit that a ref or a part of a hash names, "" when there is none."""
    if ref.startswith("-"):
        return ""
    try:
        found = await ask(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except GitError:
        return ""
    return found.decode().strip()


async def merge_base(folder: Path, one: str, other: str) -> str:
    """Return the commit where two histories meet, "" when they do not."""
    try:
        return (await ask(folder, "merge-base", one, other)).decode().strip()
    except GitError:
        return ""


async def archive(folder: Path, sha: str, prefix: str, kind: str = "tar.gz") -> bytes:
    """Return a commit's files as git packs them, below one folder or ("") none."""
    below = [f"--prefix={prefix}/"] if prefix else []
    return await ask(folder, "archive", f"--format={kind}", *below, sha)


def create(folder: Path, branch: str, seed: Path | None) -> None:
    """Make a bare repository, with the files of a folder as its first commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", f"--initial-branch={branch}", ".")
    git(folder, "config", "http.receivepack", "true")
    if seed:
        index = {"--git-dir": str(folder), "--work-tree": str(seed)}
        options = [f"{name}={value}" for name, value in index.items()]
        git(folder, *options, "add", "--all", ".")
        tree = git(folder, "write-tree").decode().strip()
        sha = git(folder, "commit-tree", tree, "-m", "As it is").decode().strip()
        git(folder, "update-ref", f"refs/heads/{branch}", sha)
