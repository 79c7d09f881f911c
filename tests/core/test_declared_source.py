"""Exposures that the configuration declares."""

from __future__ import annotations

from tailkeeper.config import ClusterConfig, Config, DeclaredExposure
from tailkeeper.sources import declared
from tests.support.routes import CONFIG


def test_declared_exposures() -> None:
    """What the configuration declares is literal, and public only where there is a zone."""
    config = Config(
        zones=CONFIG.zones,
        exposures=(
            DeclaredExposure("nas.example.com", "100.64.0.9", 5001),
            DeclaredExposure("tv.example.com", "100.64.0.8", views=("tailnet",)),
            DeclaredExposure("nas.example.org", "100.64.0.9"),
        ),
    )

    nas, tv, elsewhere = declared(config)

    assert (nas.host, nas.target, nas.port, nas.gateway) == (
        "nas.example.com",
        "100.64.0.9",
        5001,
        None,
    )
    assert [nas.published, tv.published, elsewhere.published] == [True, False, False]
    assert nas.source == "config/exposures/nas.example.com"


def test_an_object_as_target_is_its_carrier() -> None:
    """In the cluster that it names, or the only one."""
    config = Config(
        clusters=(ClusterConfig("a"), ClusterConfig("b")),
        zones=CONFIG.zones,
        exposures=(
            DeclaredExposure("db.example.com", "service/apps/db", cluster="b", answer="address"),
        ),
    )

    (exposure,) = declared(config)

    assert (exposure.cluster, exposure.gateway, exposure.target) == ("b", "service/apps/db", None)
    assert exposure.answer == "address"
