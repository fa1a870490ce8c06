# One command each; `make help` lists them. The environment is .venv, made and kept up to date by whatever needs it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-zh demo-explainers demo-lm example-nights test test-exhaustive soak test-lowest test-newest lock fmt lint type golden messages check bench bench-quick

VENV := .venv
BIN := $(VENV)/bin
# WeasyPrint draws the PDF with Pango; the tests judge reports with the programs of tests/document/checkers.py.
LIBRARIES := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
TOOLS := chromium default-jre-headless libjaxb-java poppler-utils qpdf $(if $(shell command -v npm),,npm)
# Two test processes: one thread each, or they fight over the cores.
THREADS := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

help:  ## this list
	@sed -nE 's/^([a-z-]+):.*## *(.*)/\1 \2/p' $(MAKEFILE_LIST) | while read -r name what; do printf '%-15s %s\n' "$$name" "$$what"; done

setup: $(VENV)/users  ## the environment: Python packages in .venv, and on Debian the system's libraries

demo: $(VENV)/users  ## audit the sample sentiment classifier (ARGS=--fresh to start anew)
	@$(BIN)/python samples/fetch_smollm2.py
	$(BIN)/auditor run -c samples/sentiment.toml $(ARGS)

demo-zh: $(VENV)/users  ## audit the Chinese sample classifier, which fails, with a report in Simplified Chinese
	@$(BIN)/auditor run -c samples/sentiment_zh.toml $(ARGS) || [ $$? = 1 ]  # 1: a check failed

demo-explainers: $(VENV)/developers  ## audit it with every explainer, each held to account: ten minutes
	@$(BIN)/auditor run -c samples/explainers.toml $(ARGS)

demo-lm: $(VENV)/users  ## audit SmolLM2 itself, as a language model
	@$(BIN)/python samples/fetch_smollm2.py
	$(BIN)/auditor run -c samples/smollm2.toml $(ARGS)

example-nights: $(VENV)/users  ## make the worked example of four nights again, reports/nights: five minutes
	@$(THREADS) $(BIN)/python samples/example_nights.py

test: $(VENV)/developers  ## the tests (ARGS="-k fonts" for some)
	@$(call tests,)

test-exhaustive: $(VENV)/developers  ## those that try every case: the whole table of architectures, kills, other programs
	@$(call tests,-m 'exhaustive and not gpu')

soak: $(VENV)/developers  ## five hundred kills -9 at random moments, and equal sums after each (a quarter of an hour)
	@AUDITOR_KILLS=500 $(THREADS) $(BIN)/python -m pytest -q -m exhaustive tests/faults/test_kills.py $(ARGS)

# An old library warns of what a new one will drop: DeprecationWarning is for its developers, and ignored here.
test-lowest:  ## the tests with the lowest releases that pyproject.toml allows (torch with CUDA: several GB)
	@$(call trial,lowest,-c .venv-lowest/lowest.txt,-W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning)

test-newest:  ## the same with the newest
	@$(call trial,newest,)

lock:  ## constraints.txt: adds what pyproject.toml wants and lacks (ARGS=--upgrade moves everything)
	@$(find_python)
	"$$python" -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install -qq -c constraints.txt pip packaging </dev/null
	.venv-lock/bin/python .ci/lock.py $(ARGS)

fmt: $(VENV)/developers  ## put the code in the house style
	@$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/developers  ## style and likely faults
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(VENV)/developers  ## types, strictly
	@$(BIN)/mypy

golden: $(VENV)/developers  ## rewrite the golden files and the example report; read the diff afterwards
	@AUDITOR_GOLDEN=1 $(THREADS) $(BIN)/python -m pytest -q -k golden
	for example in example example-zh; do pdftoppm -r 80 -png -f 1 -l 1 -singlefile reports/$$example/report.pdf reports/$$example-page-1; done
	for page in 4 7 10 15; do pdftoppm -r 50 -png -f $$page -l $$page -singlefile reports/example/report.pdf reports/example-page-$$page; done

messages: $(VENV)/developers  ## gather what the report says into the catalogues of its languages
	@$(BIN)/python -m auditor.languages.catalogue

check: lint type test-exhaustive test  ## exactly what CI runs

bench: $(VENV)/benchmarks  ## ours against every peer and the limits: an hour and a half, the first time two (ARGS="--only lime")
	@$(BIN)/python samples/fetch_smollm2.py
	$(THREADS) $(BIN)/python -m tests.benchmarks --out reports/benchmarks $(ARGS)

bench-quick: $(VENV)/benchmarks  ## the same in about five minutes: fewer rounds, without the longest
	@$(BIN)/python samples/fetch_smollm2.py
	$(THREADS) $(BIN)/python -m tests.benchmarks --quick --out reports/benchmarks/quick $(ARGS)

# Two stamps: what a user needs, and that plus what a developer needs. Either is made again when its inputs change.
$(VENV)/users: pyproject.toml constraints.txt Makefile
	@$(call system_packages,$(LIBRARIES))
	$(call python_packages,samples)
	touch $@

$(VENV)/developers: pyproject.toml constraints.txt Makefile
	@$(call system_packages,$(LIBRARIES) $(TOOLS))
	$(call python_packages,dev$(comma)samples)
	touch $(VENV)/users $@

$(VENV)/benchmarks: pyproject.toml constraints.txt Makefile
	@$(call system_packages,$(LIBRARIES) $(TOOLS))
	$(call python_packages,dev$(comma)samples$(comma)bench)
	touch $(VENV)/users $(VENV)/developers $@

comma := ,

# Python 3.11 or newer; python3 first, unless it is too old or an empty shim.
define find_python
python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi
done
endef

# $(1): Debian packages. Installs what is missing as root on Debian; says what to type elsewhere, and goes on:
# without Pango a report is HTML only.
define system_packages
$(find_python)
missing=()
for package in $(1); do
  dpkg-query -W -f='$${Status}' "$$package" 2>/dev/null | grep -q '^install ok' || missing+=("$$package")
done
if [ -z "$$python" ]; then missing+=(python3 python3-venv)
elif ! "$$python" -c 'import ensurepip' 2>/dev/null; then missing+=(python3-venv); fi
if [ $${#missing[@]} -gt 0 ]; then
  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then
    echo "installing $${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$${missing[@]}"; } >/dev/null </dev/null \
      || echo "That failed. Without these packages there may be no PDF: apt-get install $${missing[*]}" >&2
  elif command -v apt-get >/dev/null; then
    echo "Missing, and only root can install it (without Pango: no PDF): sudo apt-get install $${missing[*]}" >&2
  else
    echo "Not Debian, so not checked: the PDF needs Pango, the tests what tests/document/checkers.py lists." \
      "Fedora: dnf install pango poppler-utils qpdf; macOS: brew install pango poppler qpdf" >&2
  fi
fi
endef

# $(1): options of pytest.
define tests
$(BIN)/python samples/fetch_smollm2.py >/dev/null || echo "no SmolLM2: the tests of the real model are skipped" >&2
$(BIN)/python -m tests.document.checkers || echo "no axe-core or Nu HTML checker: the tests that need them fail" >&2
$(THREADS) $(BIN)/python -m pytest -n 2 --dist worksteal $(1) $(ARGS)
endef

# $(1): name; $(2): options of pip; $(3): options of pytest. Left out is what holds for the releases of constraints.txt
# only; the tests' last lines say what that is.
define trial
$(find_python)
"$$python" -m venv --clear .venv-$(1)
.venv-$(1)/bin/python -m pip install -qq -c constraints.txt pip packaging </dev/null
.venv-$(1)/bin/python .ci/lock.py --lowest .venv-$(1)/lowest.txt
.venv-$(1)/bin/python -m pip install -qq $(2) -e '.[dev$(comma)samples]' </dev/null
$(THREADS) .venv-$(1)/bin/python -m pytest -n 2 --dist worksteal -m 'not gpu and not locked' $(3) $(ARGS)
endef

# $(1): extras of the project. pip as the machine has it configured, at the releases of constraints.txt, pip itself and
# what builds the packages among them.
define python_packages
$(find_python)
if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed; found none." >&2; exit 1; fi
"$(BIN)/python" -c 'import pip' 2>/dev/null || "$$python" -m venv --clear $(VENV)
echo "installing the project with [$(1)] into $(VENV): some minutes the first time"
"$(BIN)/python" -m pip install -qq -c constraints.txt pip </dev/null
"$(BIN)/python" -m pip install -qq --no-compile -c constraints.txt --build-constraint constraints.txt -e '.[$(1)]' </dev/null
# pip compiles on one core. Some packages carry files that no Python compiles.
"$(BIN)/python" -m compileall -qq -j 0 $(VENV)/lib >/dev/null 2>&1 || true
endef
