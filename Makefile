PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types slow clean

demo: $(VENV)/.installed  ## render the embedded faces, train a small genome GAN, draw samples
	$(BIN)/stylegenes demo

test: lint types  ## everything that CI runs
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed
	$(BIN)/pyright

slow: $(VENV)/.installed  ## the long tests
	$(BIN)/python -m pytest -m slow --timeout 3600

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV)
