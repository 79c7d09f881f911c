"""Envoy's configuration, as file-based xDS: a bootstrap, listeners, clusters, one RDS file a chain.

Field names and types are those of Envoy's v3 API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.cluster.backends import SERVICE_HEADER


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sandbox.cluster.frontends import Chain, Frontend, HeaderEdit, Host, Redirect, Route

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


def route_configuration(name: str, hosts: Sequence[Host]) -> Json:
    """Return a chain's virtual hosts."""
    return {
        "name": name,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [
            {
                "name": host.name.replace("*", "wildcard"),
                "domains": [host.name],
                "routes": [_route(route) for route in host.routes],
            }
            for host in hosts
        ],
    }


def _route(route: Route) -> Json:
    return {"match": _match(route), **_action(route), **_edits(route)}


def _match(route: Route) -> Json:
    match = route.match
    body: Json
    if match.kind == "exact":
        body = {"path": match.path}
    elif match.kind == "regex":
        body = {"safe_regex": {"regex": match.path}}
    elif match.path == "/":
        body = {"prefix": "/"}
    else:
        body = {"path_separated_prefix": match.path.rstrip("/")}
    wanted = [*match.headers, *([(":method", match.method)] if match.method else [])]
    if wanted:
        body["headers"] = [
            {"name": name, "string_match": {"exact": value}} for name, value in wanted
        ]
    return body


def _action(route: Route) -> Json:
    if route.redirect:
        return {"redirect": _redirect(route.redirect)}
    if not route.backends:
        return {"direct_response": {"status": route.status}}
    return {
        "route": {
            "weighted_clusters": {
                "clusters": [
                    {
                        "name": CLUSTER,
                        "weight": weight,
                        "request_headers_to_add": [_header(SERVICE_HEADER, service)],
                    }
                    for service, weight in route.backends
                ]
            }
        }
    }


def _redirect(redirect: Redirect) -> Json:
    codes = {301: "MOVED_PERMANENTLY", 302: "FOUND", 303: "SEE_OTHER"}
    codes |= {307: "TEMPORARY_REDIRECT", 308: "PERMANENT_REDIRECT"}
    found = {
        "scheme_redirect": redirect.scheme,
        "host_redirect": redirect.hostname,
        "port_redirect": redirect.port,
        "path_redirect": redirect.path,
    }
    return {k: v for k, v in found.items() if v} | {"response_code": codes[redirect.status]}


def _edits(route: Route) -> Json:
    found: Json = {}
    for side, edit in (("request", route.request), ("response", route.response)):
        added = [*_headers(edit)]
        if added:
            found[f"{side}_headers_to_add"] = added
        if edit.remove:
            found[f"{side}_headers_to_remove"] = list(edit.remove)
    return found


def _headers(edit: HeaderEdit) -> list[Json]:
    return [_header(name, value) for name, value in edit.put] + [
        {**_header(name, value), "append_action": "APPEND_IF_EXISTS_OR_ADD"}
        for name, value in edit.add
    ]


def _header(name: str, value: str) -> Json:
    return {
        "header": {"key": name, "value": value.replace("%", "%%")},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
