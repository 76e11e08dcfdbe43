# Two commands do everything on a fresh Debian or Ubuntu with Python and git:
#   make demo    sets up, builds a small dataset from the sample broadcast, says where its report is
#   make test    sets up, runs the whole test suite
# Set-up is done once and again only when pyproject.toml or constraints.txt change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test lint setup system bench clean

help:
	@sed -n '2,5s/^#//p' Makefile

demo: system $(VENV)/.base
	@$(BIN)/aramega demo

test: setup
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_OPTIONS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup
	@for script in ingest memory resume workers startup segmentation; do $(BIN)/python benchmarks/$$script.py || exit 1; done

setup: system $(VENV)/.done

# The demo needs what drafts and publishes; the tests need everything.
$(VENV)/.base: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		echo "aramega: $(PYTHON) cannot make a virtual environment. Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[draft,publish]'
	@touch $@

$(VENV)/.done: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# What pip cannot bring. Installed where we may (root and apt); named where we may not.
system:
	@sh .ci/system-packages.sh

clean:
	rm -rf $(VENV) demo-workspace .pytest_cache .mypy_cache .ruff_cache .hypothesis
