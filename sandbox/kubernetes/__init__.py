"""A Kubernetes API server on loopback, for the real kubectl and the `kubernetes` client.

`server.Kubernetes` is the whole of it. From the wire inwards: `routing` and `requests` tell what
a request wants, `access` whether it may, `writes` make objects of bodies by the rules of `kinds`
(what fields there are) and `ownership` (whose they are), `storage` keeps them and their history.

Not emulated: kubelets and logs, exec, port-forward; admission webhooks and policies; conversion
between versions (they differ in name only); CEL rules, patterns and sizes in schemas; quotas;
`kubectl explain` (the OpenAPI document has paths, but no schemas); protobuf answers, and protobuf
bodies of other kinds than `wire/protobuf.py` knows (415, e.g. `kubectl create deployment`); checks
that a new role grants no more than its author has; the `kube-root-ca.crt` ConfigMap.
"""

from __future__ import annotations

from sandbox.kubernetes.server import Kubernetes


__all__ = ["Kubernetes"]
