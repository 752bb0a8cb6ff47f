# The project's verbs. Each makes sure first that .venv holds what pyproject.toml and constraints.txt say.

.DEFAULT_GOAL := help
.PHONY: help install format lint types mypy pyright contracts architecture test test-thorough test-lowest conformance conformance-full fuzz docs tables check bench faults chaos run

BIN := .venv/bin
INSTALLED := .venv/.installed
LOWEST := .venv/lowest
SERVICES := postgres,pgbouncer,mariadb,redis,mongo,mongo_alone,nats
# Four for two cores: many tests wait for a server or a process to come or to go.
WORKERS := -n 4 --dist worksteal
PYTEST = TEST_SERVICES=$(SERVICES) $(BIN)/python -m pytest $(WORKERS)
# A few tests hold outages, overload and killed processes against limits of seconds: what fails beside others on a busy
# machine is tried once more by itself, and what fails then has failed.
ALONE = TEST_SERVICES=$(SERVICES) $(BIN)/python -m pytest -v
USUAL = --cancellations 40 --ignore tests/architecture $(ARGS)
ARGS ?=
# The make of macOS is too old for it.
IN_ONE_PIECE := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

# The first Python that is new enough; another one: make install PYTHON=python3.13
PYTHON ?= $(shell for each in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$each; break; }; done)

# Without it each of the tests' programs would compile all over again, where a machine forbids bytecode.
export PYTHONDONTWRITEBYTECODE :=

# pyright would ask the network whether there is a newer one.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

help: ## Show the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Set up .venv with everything the other verbs need

format: $(INSTALLED) ## Format the code and fix what can be fixed safely
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: $(INSTALLED) ## Check format and style
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: mypy pyright ## Check the types

mypy: $(INSTALLED)
	$(BIN)/mypy

pyright: $(INSTALLED)
	$(BIN)/pyright

contracts: $(INSTALLED) ## Check that dependencies point inward
	$(BIN)/lint-imports

test: $(INSTALLED) ## Run all tests but those of `make check` on real servers (ARGS="-k word" for a part)
	$(PYTEST) $(USUAL) || $(ALONE) --last-failed --last-failed-no-failures none $(USUAL)

test-thorough: $(INSTALLED) ## Run the whole suite with every case and many more examples, for an hour or two
	THOROUGH=1 CONFORMANCE=full $(PYTEST) --cancellations 100 $(ARGS)

test-lowest: $(INSTALLED) ## Run the tests of units and of the main stores on the lowest versions that are allowed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group lowest
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST) --resolution lowest-direct --editable ".[all]" --group dev
	TEST_SERVICES=postgres,mariadb $(LOWEST)/bin/python -m pytest $(WORKERS) tests/unit \
		$(patsubst %,tests/conformance/test_%.py,memory sqlite postgres) $(ARGS)

conformance: $(INSTALLED) ## Run the adapters' conformance suites on real servers
	$(PYTEST) tests/conformance $(ARGS)

conformance-full: $(INSTALLED) ## The same with every case on every column, also where only the mapping differs
	CONFORMANCE=full $(PYTEST) tests/conformance $(ARGS)

fuzz: $(INSTALLED) ## Send generated requests to the examples on three stores, for an hour or so (EXAMPLES=500)
	THOROUGH=1 EXAMPLES=$(or $(EXAMPLES),500) TEST_SERVICES=postgres,mariadb \
		$(BIN)/python -m pytest tests/e2e/test_schemathesis.py -s $(ARGS)

docs: $(INSTALLED) ## Run what the documentation shows
	$(BIN)/python -m pytest tests/docs $(ARGS)

tables: $(INSTALLED) ## Write the tables of the documentation that the code declares
	$(BIN)/python -m tests.docs.capabilities
	$(BIN)/python -m tests.docs.migration_rules
	$(BIN)/python -m tests.docs.messages

# Two at a time, the longest first; each tells what it has to say in one piece, also when another one has failed.
check: $(INSTALLED) ## Run every check that needs no server
	@$(MAKE) --no-print-directory --jobs 2 --keep-going $(IN_ONE_PIECE) pyright mypy lint contracts architecture

architecture: $(INSTALLED)
	$(BIN)/python -m pytest -n 2 tests/architecture $(ARGS)

bench: $(INSTALLED) ## Measure beside hand-written code (ARGS="--quick" or "--help")
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group bench
	$(BIN)/python -m benchmarks $(ARGS)

faults: $(INSTALLED) ## Measure outages, overload, locks and shutdown (ARGS="--busy", "--write" or "--help")
	$(BIN)/python -m tests.faults.report $(ARGS)

chaos: $(INSTALLED) ## Break everything by chance under load for twenty minutes (ARGS="--minutes 1" or "--help")
	$(BIN)/python -m tests.faults.chaos $(ARGS)

run: $(INSTALLED) ## Serve the example at http://127.0.0.1:8000
	$(BIN)/fastapi-easy run examples.bookshop.app:app

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet "$$(grep '^pip==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all]" --group dev
	@touch $@

# Debian has venv without its ensurepip until python3-venv is installed: then another pip brings one.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Install Python 3.11 or newer."; exit 1; }
	$(PYTHON) -m venv .venv || $(PYTHON) -m venv --clear --without-pip .venv \
		&& { $(BIN)/python -m pip --version || $(PYTHON) -m pip --python $(BIN)/python install pip; } \
		|| { rm -rf .venv; echo "Install python3-venv, or pip for $(PYTHON)."; exit 1; }
