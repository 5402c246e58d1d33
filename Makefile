# Hyperplane: `make run` shows it all on this machine, `make test` runs every test. Python 3.13 and make are enough.
IS_313 = -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null
PYTHON ?= $(shell for name in python3.13 python3 python; do $$name $(IS_313) && echo $$name && break; done)
PY := .venv/bin/python
BROWSER := tests/browser/node_modules/.installed
CLIENTS := $(patsubst tests/foreign/%.in,.local/clients/%/.installed,$(wildcard tests/foreign/*.in))
LOCKED := requirements requirements-dev $(basename $(wildcard tests/foreign/*.in))
# Threads of OpenMP wait for each other by spinning: on a busy machine of two cores a test of 1.8 s took 23.
ONE_THREAD = OMP_NUM_THREADS=1
given = $(if $($(1)),--$(2)='$(subst ','\'',$($(1)))')

.DEFAULT_GOAL := help
.PHONY: help setup run demo demo-check test bench intervals ten-million test-clients check format coverage explore fuzz siege simulate models guide \
	parity rescore lock clean .missing

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.installed infra/local/node_modules/.installed ## Install everything that is pinned; fast and offline the second time

run: setup ## Score, record and report on this machine: PORT=7071 KEY=… AUTH=off LOG=on
	@exec $(PY) -m infra.local.run --parent $$PPID $(call given,PORT,port) $(call given,KEY,key) $(call given,AUTH,auth) $(call given,LOG,log)

demo: setup ## Two weeks of traffic with known faults, and their reports: SEED=1 PORT=7072 KEY=… AUTH=off
	@exec $(PY) -m infra.local.demo --parent $$PPID $(call given,SEED,seed) $(call given,PORT,port) $(call given,KEY,key) $(call given,AUTH,auth) $(call given,LOG,log)

demo-check: setup ## Hold the reports of many such fortnights to what was planted: SEEDS=20 FROM=1
	@$(ONE_THREAD) $(PY) -m training.credit check $(call given,SEEDS,seeds) $(call given,FROM,from)

test: check models $(BROWSER) ## Lint, type-check and run every test, in two processes
	@$(ONE_THREAD) $(PY) -m pytest -n 2 --dist loadgroup $(ARGS)

test-clients: setup models $(CLIENTS) ## tritonclient, kserve and mlflow, each in an environment of its own, against the whole
	@$(ONE_THREAD) $(PY) -m pytest tests/foreign -m foreign $(ARGS)

check: setup ## ruff and mypy
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy

format: setup ## Put the code into its one format
	@$(PY) -m ruff check --fix . ; $(PY) -m ruff format .

explore: setup models $(BROWSER) ## The property tests on many examples of their own draw
	@HYPOTHESIS_PROFILE=explore $(PY) -m pytest -m hypothesis --timeout 1800 $(ARGS)

fuzz: setup models ## Requests made from our OpenAPI document, valid and invalid: EXAMPLES=100 SEED=…
	@$(PY) -m tests.fuzz $(call given,EXAMPLES,examples) $(call given,SEED,seed)

siege: setup models ## Score through a hostile line while the host is killed, and compare with the log: MINUTES=3 SEED=…
	@$(ONE_THREAD) $(PY) -m tests.siege $(call given,MINUTES,minutes) $(call given,SEED,seed) $(ARGS)

simulate: setup ## The log in simulated worlds that go wrong, a seed each: SEEDS=100000 FROM=0
	@$(ONE_THREAD) $(PY) -m tests.audit.simulation $(call given,SEEDS,seeds) $(call given,FROM,from)

coverage: check models $(BROWSER) ## The tests once more, counting which lines they ran
	@$(PY) -m pytest --cov --cov-report=term $(ARGS)

guide: setup ## Run the guide's cases again and write docs/guide
	@$(PY) -m training.candidates.guide

parity: setup ## Prove every combination of model and preparation again, and write docs/parity.md
	@$(PY) -m training parity --out docs/parity.md

rescore: setup ## Export mixed-type data of 20,000 rows and score each row over HTTP, in batches and alone
	@RESCORE_ROWS=20000 $(PY) -m pytest tests/test_mixed_rescoring.py --timeout 1800 $(ARGS)

bench: setup models ## Measure one row, large requests beside small ones, and what challengers cost
	@$(PY) -m bench.one_row && $(PY) -m bench.mixed_sizes && $(PY) -m bench.challengers

intervals: setup ## Do 95 % intervals hold 95 times in 100? SAMPLES=2000 SEED=1
	@$(ONE_THREAD) $(PY) -m bench.interval_coverage $(call given,SAMPLES,samples) $(call given,SEED,seed)

ten-million: setup ## Write, index, search, read and verify a log of ten million records: RECORDS=…, 8 GB of disk
	@$(PY) -m bench.ten_million $(call given,RECORDS,records)

models: setup ## Train and export the demo bundles that are not there yet
	@$(PY) -m training demo --out models

lock: setup ## Compile requirements*.in and the clients' to what they pin, *.txt
	@for name in $(LOCKED); do $(PY) -m uv pip compile -q --universal --python-version 3.13 --no-header \
	  --no-emit-index-url --no-emit-find-links $$name.in -o $$name.txt || exit; done

clean: ## Remove what was installed and made, the local log and key included; your own models stay
	rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis infra/local/node_modules tests/browser/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf models/breast-cancer/1 models/diabetes/1 models/wine/1
	find models -mindepth 1 -type d -empty -delete

.venv/.installed: requirements.txt requirements-dev.txt $(shell test -x .venv/bin/python || echo .missing)
	@$(or $(PYTHON),false) $(IS_313) || { \
	  echo "Python 3.13 is needed$(if $(PYTHON), and '$(PYTHON)' is not it): install it, or say make PYTHON=/path/to/python3.13" >&2; \
	  exit 1; }
	@exec $(PYTHON) -m infra.local.install python --parent $$PPID

.local/clients/%/.installed: tests/foreign/%.txt | .venv/.installed
	@echo "Installing the pinned client $* (once)"
	@$(PY) -m uv venv -q --clear --no-project --python $(PY) .local/clients/$*
	@$(PY) -m uv pip install -q --python .local/clients/$*/bin/python --requirement $< && touch $@

%/node_modules/.installed: %/package.json %/package-lock.json | .venv/.installed
	@exec $(PY) -m infra.local.install node $* --parent $$PPID
