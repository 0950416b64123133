# Two commands matter: `make demo` and `make test`. Each sets everything up first; nothing else is needed than
# Python 3.11 or newer, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_DIR ?= results/demo
# Processes that share the tests; a file's tests stay in one of them, with what they prepare for each other.
TEST_PROCESSES ?= 2
PYTEST := $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-fast check coverage benchmarks clean

demo: $(READY)
	$(BIN)/bagdar demo -o $(DEMO_DIR)

test: $(READY)
	$(PYTEST)

test-fast: $(READY)
	$(PYTEST) -m "not slow"

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: $(READY)
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -m "not slow" --cov --cov-report=term-missing:skip-covered

benchmarks: $(READY)
	$(BIN)/python -m benchmarks.run

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'Bagdar needs Python 3.11 or newer')"
	$(PYTHON) -m venv $(VENV)
	# The lock is whole: nothing is left for pip to resolve, and a newer release on the index cannot change what is chosen.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip check
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

clean:
	rm -rf $(VENV) results .mypy_cache .ruff_cache .pytest_cache
