# The one definition of each task: README, CI and the commit hooks call these.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench docs lock clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTS ?= tests
# The four groups of tests that share a stack or a server go on side by side (tests/side_by_side.py).
WORKERS ?= 4
KEEP ?=
REPO ?=

help: ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: $(READY) ## make the virtual environment from the locks

$(READY): pyproject.toml locks/uv.txt locks/dev.txt deployments/setup.sh
	@sh deployments/setup.sh $(VENV)
	@touch $@

demo: $(READY) ## release the example on a whole embedded stack (KEEP=1 leaves it running, REPO=path takes yours)
	@$(BIN)/python -m deployments.local demo $(if $(KEEP),--keep) $(if $(REPO),--repo "$(REPO)")

test: $(READY) ## run every test, the end-to-end ones included
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) $(TESTS)

check: $(READY) ## lint and strict types over source and tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## put the code into its format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## run every benchmark
	@$(BIN)/python -m benchmarks

docs: $(READY) ## write docs/errors.md and docs/argosy.schema.json anew from the code
	@$(BIN)/python -m deployments.catalogue
	@$(BIN)/python -m argosy config schema > docs/argosy.schema.json

lock: $(READY) ## resolve the locks anew from pyproject.toml
	@sh deployments/lock.sh $(BIN)/uv

clean: ## remove what the other targets made
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
