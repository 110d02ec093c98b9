# Two commands matter: `make run` and `make test`. Both set up what they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
GENGFU := $(BIN)/gengfu
# What can be run, but for the cameras of the others.
BENCHMARKS := $(filter-out picture_farm, $(basename $(notdir $(shell grep -l __main__ tests/benchmarks/[a-z]*.py)))) \
              quality.accuracy quality.cost quality.days

# What the console is built of.
CONSOLE  := hub/web/console
SOURCES  := $(wildcard $(addprefix $(CONSOLE)/,*.json *.ts *.js *.html .npmrc)) $(shell find $(CONSOLE)/src -type f -not -name schema.d.ts)

.PHONY: run test check console screenshots bench lock clean

run: $(VENV)/.ready-run $(CONSOLE)/dist/index.html  ## a hub with a simulated village, on embedded parts
	$(GENGFU) demo

check: $(VENV)/.ready-test  ## lint, types, import order
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python deploy/console.py check

console: $(CONSOLE)/dist/index.html  ## the operator console, as the hub serves it

test: $(VENV)/.ready-test $(CONSOLE)/dist/index.html  ## everything, against real servers
	deploy/test-parts.sh
	$(MAKE) check
	$(BIN)/pytest -n 4 --dist worksteal

screenshots: $(VENV)/.ready-test $(CONSOLE)/dist/index.html  ## pictures of every page of the console, taken anew
	deploy/test-parts.sh
	$(BIN)/python -m tests.screenshots

bench: $(VENV)/.ready-test  ## figures and ratios; never pass or fail
	deploy/test-parts.sh
	for name in $(BENCHMARKS); do $(BIN)/python -m tests.benchmarks.$$name || exit 1; done

lock:  ## pin every dependency anew, with hashes
	uv pip compile --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --group build -q pyproject.toml -o requirements.lock
	uv pip compile --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --group dev -q -c requirements.lock \
	  pyproject.toml -o requirements-dev.lock
	uv pip compile --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group node -q -o requirements-node.lock

clean:  ## everything but the data
	rm -rf $(VENV) build dist $(CONSOLE)/dist $(CONSOLE)/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/.ready-run: requirements.lock pyproject.toml deploy/make-venv.py
	$(PYTHON) deploy/make-venv.py $(VENV) requirements.lock
	touch $@

$(VENV)/.ready-test: requirements-dev.lock pyproject.toml deploy/make-venv.py
	$(PYTHON) deploy/make-venv.py $(VENV) requirements-dev.lock
	touch $@ $(VENV)/.ready-run

$(CONSOLE)/dist/index.html: $(SOURCES) deploy/console.py | $(VENV)/.ready-run
	$(BIN)/python deploy/console.py build
