PYTHON ?= python3
PYTHONS ?= python3.11 python3.12 python3.13
VENV ?= .venv
BIN := $(VENV)/bin
# On few cores more than there are: many tests wait for processes that they have started.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(max(3, os.cpu_count()))")

.PHONY: demo test lint types browser page slow oldest site trackers installs clean

demo: $(VENV)/.installed  ## render the embedded faces, train a small genome GAN, draw samples
	$(BIN)/stylegenes demo

test: lint types browser  ## everything that CI runs
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed
	$(BIN)/pyright

browser:  ## for the tests of the explorer: Chromium (on Debian as root) and its packages from npm; skipped elsewhere
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium; } \
		|| echo "no Chromium here: the browser tests of the explorer are skipped"
	@[ -d explorer/node_modules/axe-core ] \
		|| { command -v npm >/dev/null && cd explorer && npm ci --silent --no-audit --no-fund; } \
		|| echo "no npm here: the explorer's page is not rebuilt and compared"

page:  ## build the explorer's page from its sources (Node 20)
	cd explorer && npm ci --no-audit --no-fund && npm run build

slow: $(VENV)/.installed  ## the long tests
	$(BIN)/python -m pytest -m slow --timeout 3600

oldest: $(VENV)-oldest/.installed  ## the tests of training with the oldest torch that is supported
	$(VENV)-oldest/bin/python -m pytest tests/training/test_graphs.py tests/training/test_no_waiting.py \
		tests/training/test_step.py tests/training/test_resume.py tests/test_precision.py tests/test_devices.py

site: $(VENV)/.installed  ## the documentation as pages, in site/
	$(BIN)/mkdocs build --strict

installs: $(VENV)/.installed  ## into empty environments: PYTHONS, and every dependency at its lower bound
	$(BIN)/python tools/installs.py $(PYTHONS)
	$(BIN)/python tools/installs.py --sdist --oldest $(PYTHON)

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
