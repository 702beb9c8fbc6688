# Two commands: `make run` answers the quickstart question, `make test` runs the tests. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.heritage-installed
PYTEST_FLAGS ?=

.PHONY: run install test check clean

run: install
	@$(BIN)/heritage run experiments/scenarios/quickstart.yaml

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt experiments/install.py
	@$(PYTHON) experiments/install.py --venv $(VENV)
	@touch $(STAMP)

test: install
	@$(BIN)/python -m pytest $(PYTEST_FLAGS)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/flake8 sim agents models serving contracts experiments
	$(BIN)/codespell

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
