# Hyperplane: `make run` shows it all on this machine, `make test` runs every test. Python 3.13 and make are enough.
SHELL := bash
PYTHON ?= python3.13
PORT ?= 7071
PY := .venv/bin/python
NPM := .venv/bin/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

.DEFAULT_GOAL := help
.PHONY: help setup run test check format coverage explore models lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: .venv/.installed infra/local/node_modules/.installed ## Install everything that is pinned; fast and offline the second time

run: setup ## Score, record and report on this machine: PORT=7071 KEY=… AUTH=off
	@exec $(PY) -m infra.local.run --port $(PORT) $(if $(KEY),--key '$(KEY)') $(if $(filter off,$(AUTH)),--auth off)

test: check models tests/browser/node_modules/.installed ## Lint, type-check and run every test
	@$(PY) -m pytest $(ARGS)

check: setup ## ruff and mypy
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

format: setup ## Put the code into its one format
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

explore: setup models tests/browser/node_modules/.installed ## The property tests on many examples of their own draw
	@HYPOTHESIS_PROFILE=explore $(PY) -m pytest -m hypothesis --timeout 1800 $(ARGS)

coverage: check models tests/browser/node_modules/.installed ## The tests once more, counting which lines they ran
	@$(PY) -m pytest --cov --cov-report=term $(ARGS)

models: setup ## Train and export the demo bundles that are not there yet
	@$(PY) -m training demo --out models

lock: setup ## Compile requirements*.in to the pinned requirements*.txt
	@.venv/bin/uv pip compile -q --universal --python-version 3.13 --no-header --no-emit-index-url --no-emit-find-links requirements.in -o requirements.txt
	@.venv/bin/uv pip compile -q --universal --python-version 3.13 --no-header --no-emit-index-url --no-emit-find-links requirements-dev.in -o requirements-dev.txt

clean: ## Remove what was installed and made, the local log and key included
	rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis infra/local/node_modules tests/browser/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf models/*/

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null && $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || \
	  { echo "Python 3.13 is needed and '$(PYTHON)' is not it: install it, or say make PYTHON=/path/to/python3.13"; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@rm -rf .venv && $(PYTHON) -m venv .venv

.venv/.installed: requirements.txt requirements-dev.txt | .venv/bin/python
	@echo "Installing the pinned Python packages (about a minute the first time)"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@touch $@

%/node_modules/.installed: %/package.json %/package-lock.json .venv/.installed
	@echo "Installing the pinned npm packages of $*"
	@cd $* && $(CURDIR)/$(NPM)
	@touch $@
