# make run    the whole story on this machine: a gateway moves, and every answer follows
# make test   every test          make check   formatting, types, architecture, ASL, template
# make bench  side by side        make build   what `sam deploy` uploads       make deploy
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
SAM := .sam/bin/sam
UV_VERSION := 0.13.9
SYNC := $(UV) sync --frozen --inexact
STAMP := $(VENV)/.set-up
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench build deploy clean format

help:
	@sed -n '1,3s/^# //p' Makefile

# What asks no AWS still wants a region; a deploy takes the one of your session.
run test check validate bench build: export AWS_DEFAULT_REGION ?= eu-central-1

setup: $(STAMP)

$(STAMP): uv.lock pyproject.toml
	@test -x $(UV) || { echo "Setting up $(VENV) (once, about half a minute)"; \
	  $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	@echo "Installing what uv.lock names"
	@$(SYNC) --quiet 2>/dev/null || $(SYNC) --system-certs   # a proxy with a certificate of its own
	@$(BIN)/python scripts/link.py
	@AWS_REGION=none $(BIN)/python -W ignore scripts/warm.py
	@touch $@

run: setup
	@$(BIN)/tailkeeper demo $(if $(MANIFESTS),--manifests $(MANIFESTS))

test: setup
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/check_stack.py
	@$(MAKE) --no-print-directory validate

format: setup
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: setup
	@$(BIN)/python -m bench

$(SAM): uv.lock
	@echo "Setting up the SAM CLI in an environment of its own (once)"
	@export UV_PROJECT_ENVIRONMENT=.sam; SYNC="$(UV) sync --quiet --frozen --only-group sam"; \
	  $$SYNC 2>/dev/null || $$SYNC --system-certs
	@touch $@

.PHONY: validate
validate: setup $(SAM)
	@$(SAM) validate --lint

build: setup $(SAM)
	@PATH="$(abspath $(BIN)):$$PATH" $(SAM) build --parallel
	@$(BIN)/python scripts/check_artifact.py

deploy: build
	@$(BIN)/python scripts/deploy.py $(ARGS)

clean:
	rm -rf $(VENV) .sam .aws-sam build .world report.html
