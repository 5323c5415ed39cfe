# Two environments, each made once and brought up to date when its requirement files change:
#   .venv            the maintained OneDL line         make demo, make test
#   .venv-openmmlab  OpenMMLab's original packages     make test-openmmlab
# pip is used as it is configured; PIP_FIND_LINKS may name folders with ready wheels of mmcv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
OLD_VENV := .venv-openmmlab
OLD_PY := $(OLD_VENV)/bin/python
PINS := requirements/constraints-onedl.txt
OLD_PINS := requirements/constraints-openmmlab.txt
# Compiled mmcv fits one torch only.
WHEELS := .wheels/$(shell sed -n 's/^torch==/torch-/p' $(PINS))
# Headless OpenCV over the one that mmcv asks for: the same files, without libGL.
HEADLESS := --no-deps --force-reinstall opencv-python-headless
# Two processes, each with whole test files: these share what they make once.
TWO := -n 2 --dist loadfile
PACKAGE := requirements/runtime.txt setup.py mmrefine/version.py

.PHONY: help bench bench-short demo notebook docs test test-openmmlab test-openmmlab-quick lint clean

help:
	@echo 'make demo                  refine two photographs (installs what refining needs)'
	@echo 'make notebook              run the notebook of the demo and keep its outputs'
	@echo 'make docs                  build the documentation into site/, links checked'
	@echo 'make test                  lint, types and the whole test suite (installs the rest)'
	@echo 'make test-openmmlab        the whole test suite on OpenMMLab'"'"'s original packages'
	@echo 'make test-openmmlab-quick  a quick part of it'
	@echo 'make bench                 time everything beside plain references: docs/performance.md'
	@echo 'make bench-short           a part of that against its floors: fails when something got slower'
	@echo 'make clean                 remove the environments and compiled wheels'

demo: $(VENV)/.refine-ready
	@echo '== demo: refining two photographs, under a minute'
	@$(PY) demo/run_demo.py

notebook: $(VENV)/.notebook-ready
	@echo '== notebook: demo/mmrefine_demo.ipynb, about a minute'
	@$(PY) demo/run_notebook.py

docs: $(VENV)/.docs-ready
	@echo '== docs: site/index.html, a few seconds'
	@$(PY) -m zensical build --strict --clean

test: $(VENV)/.test-ready lint
	@echo '== test: the whole suite on the OneDL line, under 15 minutes on 2 cores'
	@$(PY) -m pytest $(TWO)

bench-short: $(VENV)/.test-ready
	@echo '== bench-short: a part of the benchmarks against their floors, under two minutes'
	@$(PY) -W ignore -m benchmarks --short --floors --seconds 2

bench: $(VENV)/.test-ready
	@$(PY) -W ignore -m benchmarks --page docs/performance.md

lint: $(VENV)/.test-ready
	@echo '== test: ruff and mypy, under a minute'
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

test-openmmlab: $(OLD_VENV)/.test-ready
	@echo "== test-openmmlab: the whole suite on OpenMMLab's packages, under 15 minutes on 2 cores"
	@$(OLD_PY) -m pytest $(TWO)

test-openmmlab-quick: $(OLD_VENV)/.test-ready
	@echo "== test-openmmlab-quick: a part of the suite on OpenMMLab's packages, a few minutes"
	@$(OLD_PY) -m pytest $(TWO) -m 'quick and not slow'

clean:
	rm -rf $(VENV) $(OLD_VENV) .wheels site

# --no-cache-dir: pip must not keep the mmcv built here, without compiled ops, for a later
# install that wants them.
$(VENV)/.refine-ready: requirements.txt requirements/onedl.txt $(PINS) $(PACKAGE)
	@echo '== $(VENV): torch, mmcv without compiled ops, mmsegmentation: about 3 minutes'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -c $(PINS) torch 'setuptools<81' wheel
	@echo '== $(VENV): mmcv, mmsegmentation and what they need: about 2 minutes without output'
	@$(PY) -m pip install -q -c $(PINS) --no-cache-dir --no-deps onedl-mmcv
	@$(PY) -m pip install -q -c $(PINS) -r requirements.txt
	@$(PY) -m pip install -q -c $(PINS) $(HEADLESS)
	@$(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test-ready: $(VENV)/.refine-ready requirements/onedl-det.txt requirements/test.txt \
		requirements/app.txt requirements/panoptic.txt requirements/instances.txt requirements/export.txt requirements/formats.txt requirements/notebook.txt requirements/video.txt requirements/dask.txt \
		requirements/docs.txt requirements/build.txt
	@echo '== $(VENV): mmdetection and test tools, about a minute, and compiled mmcv'
	$(call compile-mmcv,$(PY),onedl-mmcv,$(PINS))
	@$(PY) -m pip install -q -c $(PINS) -r requirements/onedl-det.txt -r requirements/test.txt
	@$(PY) -m pip install -q -c $(PINS) --no-deps -r requirements/panoptic.txt
	@$(PY) -m pip install -q -c $(PINS) $(HEADLESS)
	@$(PY) -c 'import mmcv.ops, mmdet'
	@touch $@

$(VENV)/.notebook-ready: $(VENV)/.refine-ready requirements/notebook.txt
	@$(PY) -m pip install -q -c $(PINS) -r requirements/notebook.txt
	@touch $@

# Reads files only: the package and torch are not needed.
$(VENV)/.docs-ready: requirements/docs.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -q -c $(PINS) -r requirements/docs.txt
	@touch $@

$(OLD_VENV)/.test-ready: requirements/openmmlab.txt requirements/openmmlab-det.txt \
		requirements/test.txt requirements/app.txt requirements/panoptic.txt requirements/instances.txt requirements/export.txt requirements/formats.txt requirements/notebook.txt requirements/video.txt requirements/dask.txt \
		requirements/docs.txt requirements/build.txt $(OLD_PINS) $(PACKAGE)
	@echo '== $(OLD_VENV): torch, mmcv 2.1, mmsegmentation 1.2, mmdet 3.3, test tools: about 3 minutes'
	@test -x $(OLD_PY) || $(PYTHON) -m venv $(OLD_VENV)
	@$(OLD_PY) -m pip install -c $(OLD_PINS) torch 'setuptools<81' wheel
	$(call compile-mmcv,$(OLD_PY),mmcv,$(OLD_PINS))
	@$(OLD_PY) -m pip install -q -c $(OLD_PINS) -r requirements/runtime.txt \
		-r requirements/openmmlab.txt -r requirements/openmmlab-det.txt -r requirements/test.txt
	@$(OLD_PY) -m pip install -q -c $(OLD_PINS) --no-deps -r requirements/panoptic.txt
	@$(OLD_PY) -m pip install -q -c $(OLD_PINS) $(HEADLESS)
	@$(OLD_PY) -m pip install -q --no-deps --no-build-isolation -e .
	@$(OLD_PY) -c 'import mmcv.ops, mmdet'
	@touch $@

# compile-mmcv: python, distribution, constraints. Nothing is done where the ops are there; a
# ready wheel is taken from $(WHEELS) or wherever pip finds one; else it is compiled, after torch
# and without isolation, as mmcv leaves its ops out where it cannot import torch.
define compile-mmcv
@if $(1) -c 'import mmcv.ops' 2>/dev/null; then \
	echo '== mmcv has its compiled ops already'; \
else \
	echo '== $(2) with compiled ops: seconds where a ready wheel is found, else about 14 minutes on 2 cores'; \
	mkdir -p $(WHEELS) && \
	$(1) -m pip install -q -c $(3) -r requirements/build.txt && \
	MAX_JOBS=$${MAX_JOBS:-$$(nproc)} $(1) -m pip wheel -q -c $(3) --no-build-isolation \
		--no-cache-dir --no-deps --find-links $(WHEELS) -w $(WHEELS) $(2) && \
	$(1) -m pip install -q -c $(3) --no-index --find-links $(WHEELS) --no-deps \
		--force-reinstall $(2); \
fi
endef
