"""The cluster's moving parts, each after its real one's documented behaviour.

manifests, documents, charts, completion    a user's directory as cluster state, and what it lacks
api, loop, conditions                       what every controller works with
operator, exposed, proxy_life, ingress      the Tailscale operator: a device for what asks for one
envoy_gateway, attachment, listeners        Envoy Gateway: which listener takes which route
frontends, translation                      what a data plane must serve, in words of its own
envoy, plain_tls, planes, leash             who serves it: a real Envoy, or TLS in this process
backends, network                           the applications, and the Services in front of them
kubelet, resolver, resolver_pod, mounts     CoreDNS Deployments: volumes, probes, rollouts
certificates, cert_manager                  the world's authority, and the Secrets it fills
"""
