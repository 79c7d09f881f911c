"""Git pushes: a commit's archive, its manifests, and what they foresee of a cluster."""
