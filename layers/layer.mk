# One third-party layer, exported from the one lock, for Lambda's own Python and processor.
# boto3 and what it brings stay out: the runtime has them.
GROUP ?= http
UV ?= $(shell command -v uv)
ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
RUNTIME := boto3 botocore s3transfer jmespath python-dateutil six urllib3

layer:
	cd "$(ROOT)" && "$(UV)" export --quiet --frozen --no-hashes --no-header --no-annotate --no-emit-project \
	  --only-group $(GROUP) $(RUNTIME:%=--no-emit-package %) --output-file "$(ARTIFACTS_DIR)/requirements.txt"
	"$(UV)" pip install --quiet --no-deps --target "$(ARTIFACTS_DIR)/python" --python-version 3.13 \
	  --python-platform aarch64-manylinux2014 --only-binary :all: -r "$(ARTIFACTS_DIR)/requirements.txt"
	find "$(ARTIFACTS_DIR)/python" -name tests -type d -path '*/kubernetes/*' -prune -exec rm -rf {} +
	rm -rf "$(ARTIFACTS_DIR)/python/bin" "$(ARTIFACTS_DIR)/requirements.txt"
