"""The cluster's moving parts: manifests, operator, Envoy Gateway, Envoy, backends, resolvers."""
