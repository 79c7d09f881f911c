"""A git host: real bare repositories behind the APIs of GitHub, GitLab, Gitea and Bitbucket."""

from sandbox.git.server import GitHost


__all__ = ["GitHost"]
