"""State Observe Git: the manifests of the commits that pushes and pull requests tell of."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from tailkeeper.adapters.git_host import PASSING, TROUBLE, GitHost, Unreachable, connect
from tailkeeper.adapters.manifests import is_manifest, read_manifests
from tailkeeper.adapters.memory import Memories
from tailkeeper.adapters.stack import stack
from tailkeeper.config import Config, Repository
from tailkeeper.git.archive import UnfitError
from tailkeeper.git.pushes import Push
from tailkeeper.path_patterns import selects


if TYPE_CHECKING:
    from collections.abc import Collection

PATIENCE = 25  # seconds after which no other commit is asked for: a function has a minute
VERSION = 2  # of what is kept of a commit's manifests
logger = Logger(service="observe-git")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Return the packed observation, a list of commits; a host that fails makes one partial."""
    stack().lease(event["run"])
    config = Config.from_json(event["config"])
    tokens, known = stack().secret("GIT_SECRET"), Memories(stack()).commits()
    ends = time.monotonic() + PATIENCE
    observed = [
        commit_of(push, repository, config, tokens, known=known, ends=ends)
        for push in map(Push.from_json, event["pushes"])
        for repository in config.repositories_of(
            push.provider, push.repository, "" if push.pull else push.branch
        )
    ]
    told = [f"{commit['repository']} {commit['commit']}: {commit['why']}" for commit in observed]
    logger.info("observed", extra={"commits": told})
    return stack().artifacts.pack(observed, "observations")


def commit_of(
    push: Push,
    repository: Repository,
    config: Config,
    tokens: dict[str, str],
    *,
    known: Collection[str],
    ends: float,
) -> dict[str, Any]:
    """Return one commit: who it is, what its manifests say, or why that could not be read."""
    commit: dict[str, Any] = {
        "key": repository.key,
        "repository": repository.name,
        "cluster": config.cluster_applying(repository),
        "apply": repository.apply,
        "pull": push.pull,
        "commit": push.sha,
        "at": push.at,
        "why": "",
        "again": False,
        "objects": [],
        "broken": [],
        "left_out": [],
        "files": [],
        "previous": None,
    }
    try:
        with connect(repository, tokens, os.environ["GIT_URL"]) as host:
            check_time(ends)
            # Deliveries come in any order, and again: the branch knows its latest commit.
            commit["commit"] = push.sha if push.pull else host.head(repository.branch)
            commit |= manifests(host, repository, commit["commit"])
            if before := previous(host, repository, push, known):
                check_time(ends)
                commit["previous"] = manifests(host, repository, before)
    except (*TROUBLE, UnfitError) as error:
        commit |= {"why": str(error), "again": isinstance(error, PASSING)}
    return commit


def check_time(ends: float) -> None:
    """Raise Unreachable once hosts have taken so long that another would cost us all of them."""
    if time.monotonic() > ends:
        raise Unreachable("there is no time left to ask its host")


def previous(host: GitHost, repository: Repository, push: Push, known: Collection[str]) -> str:
    """Return the commit to compare with, "" where memory has it or nobody knows one."""
    if push.pull:
        return host.merge_base(repository.branch, push.sha, push.pull)
    return "" if repository.key in known else push.before


def manifests(host: GitHost, repository: Repository, sha: str) -> dict[str, Any]:
    """Return what a commit's manifests say; what was read once is kept in the artifacts."""
    identity = f"{VERSION} {repository.provider} {repository.name} {sha} {repository.paths}"
    key = f"passing/commits/{sha256(identity.encode()).hexdigest()}.json"
    if (kept := stack().artifacts.find(key)) is not None:
        found: dict[str, Any] = kept
        return found
    read = read_manifests(
        host.files(sha, lambda path: is_manifest(path) and selects(repository.paths, path))
    )
    found = {name: getattr(read, name) for name in ("objects", "broken", "left_out", "files")}
    stack().artifacts.store(key, found)
    return found
