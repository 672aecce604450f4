PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types slow oldest trackers clean

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

oldest: $(VENV)-oldest/.installed  ## the tests of training with the oldest torch that is supported
	$(VENV)-oldest/bin/python -m pytest tests/training/test_graphs.py tests/training/test_no_waiting.py \
		tests/training/test_step.py tests/training/test_resume.py tests/test_precision.py tests/test_devices.py

trackers: $(VENV)-trackers/.installed  ## the test of the trackers, all of them installed
	$(VENV)-trackers/bin/python -m pytest tests/training/test_trackers.py

$(VENV)-trackers/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-trackers
	$(VENV)-trackers/bin/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,trackio]'
	touch $@

$(VENV)-oldest/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/pip install -q --disable-pip-version-check 'torch==2.11.*' -e '.[dev]'
	touch $@

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-trackers
