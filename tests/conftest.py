"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings


# How long an example takes says how busy the machine is, not whether the code is right. The same
# commit meets the same examples; `HYPOTHESIS_PROFILE=nightly` looks for new ones.
settings.register_profile("unhurried", deadline=None, derandomize=True)
settings.register_profile("nightly", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unhurried"))

ROOT = Path(__file__).parents[1]
SYSTEM = ROOT / "tests" / "system"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker is left alone with one."""
    items.sort(key=lambda item: SYSTEM not in item.path.parents)


@pytest.fixture(scope="session")
def specs() -> Path:
    """Return the folder of official API documents, which lies beside the project in CI."""
    folder = ROOT.parent / "shared" / "specs"
    if not folder.is_dir():
        pytest.skip("the official documents are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def user_repository() -> Path:
    """Return a real GitOps repository to load, which lies beside the project in CI."""
    folder = ROOT.parent / "shared" / "examples" / "homelab"
    if not folder.is_dir():
        pytest.skip("the example repository is not beside this checkout")
    return folder
