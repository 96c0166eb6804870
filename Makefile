# Every word here is what CI and a person type; all need Python 3.11–3.13, git and make, and nothing else.
PYTHON ?= $(or $(shell command -v python3),$(shell command -v python),python3)
BIN := .venv/bin
# Images and CI often set it. Here dozens of processes import the same packages, and each would compile them anew: 14 s for torch's, not 5.
export PYTHONDONTWRITEBYTECODE :=
.PHONY: setup fmt lint types layers check test lanes crash bench bench-peer claims demo up down docs wheel ui

setup: ## .venv with pinned dependencies and the database jars; does only what its stamp says is missing
	@$(PYTHON) .ci/setup.py

fmt: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports --no-logo

check: lint types layers ## all that needs no database

test: setup ## ARGS="tests/unit -k name" runs a part
	$(BIN)/python -m pytest $(ARGS)

lanes: setup ## the same suite on every kind of server, compose.yaml, installs from the wheel; LANES="next container" runs some
	@$(BIN)/python -m tests.lanes $(LANES)

crash: setup ## every failure test of the store, twenty times, with random points of failure; printed seeds play one again
	$(BIN)/python -m pytest $(or $(filter tests/%,$(ARGS)),tests/crash) -s -o "python_files=crash_*.py" $(filter-out tests/%,$(ARGS))

bench: setup ## ratios against a bound measured in the same process
	$(BIN)/python -m pytest $(or $(filter tests/%,$(ARGS)),tests/bench) -s --timeout=0 -o "python_files=bench_*.py" $(filter-out tests/%,$(ARGS))

bench-peer: setup ## speed beside the published EAP-IG package: PEER=/path/to/EAP-IG, in an environment of its own
	@$(BIN)/python -m tests.bench.peer.run "$(PEER)"

claims: up ## README's tables against the kept results of the studies; one checkpoint of each study measured again
	@$(BIN)/python -m tests.claims.claims check

demo: setup
	@$(BIN)/roicg demo

up: setup
	@$(BIN)/roicg db start

down: setup
	@$(BIN)/roicg db stop

docs: setup ## the table of queries from their headers, README's tables from what benches and studies measured
	@$(BIN)/roicg query --list --markdown > cypher/README.md
	@$(BIN)/python -m tests.bench.figures
	@$(BIN)/python -m tests.claims.claims fill

wheel: setup
	$(BIN)/python -m build --wheel --no-isolation

ui: setup
	@$(BIN)/roicg ui
