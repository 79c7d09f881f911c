"""Envoy's bootstrap, listeners and cluster, in the words of its v3 API, as file-based xDS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.cluster.frontends import Chain, Frontend

    Json = dict[str, Any]

API = "type.googleapis.com/envoy"
CLUSTER = "backends"


def bootstrap(folder: Path) -> Json:
    """Return the static part: where the files are; the admin port is any free one."""
    return {
        "node": {"id": "sandbox", "cluster": "sandbox"},
        "admin": {"address": address(0)},
        "dynamic_resources": {
            "lds_config": _files(folder / "lds.json"),
            "cds_config": _files(folder / "cds.json"),
        },
    }


def address(port: int) -> Json:
    """Return a loopback socket address."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _files(path: Path) -> Json:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(path)}}


def discovery(resources: list[Json], kind: str, version: str) -> Json:
    """Return a DiscoveryResponse, the content of an xDS file."""
    return {
        "version_info": version,
        "resources": [{"@type": f"{API}.config.{kind}", **resource} for resource in resources],
    }


def cluster(port: int) -> Json:
    """Return the one cluster: the backend server, which tells Services apart by a header."""
    return {
        "name": CLUSTER,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
        },
    }


def listener(frontend: Frontend, folder: Path) -> Json:
    """Return a listener on a port of Envoy's choice, which it keeps; one filter chain per SNI."""
    return {
        "name": frontend.key,
        "address": address(0),
        "listener_filters": [
            {
                "name": "tls_inspector",
                "typed_config": {
                    "@type": f"{API}.extensions.filters.listener.tls_inspector.v3.TlsInspector"
                },
            }
        ],
        "filter_chains": [_chain(frontend, chain, folder) for chain in frontend.chains],
    }


def _chain(frontend: Frontend, chain: Chain, folder: Path) -> Json:
    body: Json = {"name": chain.name, "filters": [_http(rds_name(frontend, chain), folder)]}
    if chain.certificate:
        body["transport_socket"] = _tls(chain.certificate.chain, chain.certificate.key)
        if chain.server_name:
            body["filter_chain_match"] = {"server_names": [chain.server_name]}
        else:
            body["filter_chain_match"] = {"transport_protocol": "tls"}
    return body


def rds_name(frontend: Frontend, chain: Chain) -> str:
    """Return the name of a chain's route configuration, which is its file's name too."""
    return f"{frontend.key}-{chain.name}".replace("/", "_").replace(":", "_")


def _tls(chain: str, key: str) -> Json:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{API}.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [
                    {
                        "certificate_chain": {"inline_string": chain},
                        "private_key": {"inline_string": key},
                    }
                ],
            },
        },
    }


def _http(name: str, folder: Path) -> Json:
    hcm = f"{API}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": hcm,
            "stat_prefix": name,
            "strip_any_host_port": True,
            "normalize_path": True,
            "delayed_close_timeout": "0.1s",  # a client that reads to the end waits for it
            "rds": {
                "route_config_name": name,
                "config_source": _files(folder / f"{name}.json"),
            },
            "http_filters": [
                {
                    "name": "envoy.filters.http.router",
                    "typed_config": {"@type": f"{API}.extensions.filters.http.router.v3.Router"},
                }
            ],
        },
    }
