# make train: features, then training; GENRES="hiphop metal" selects genres.
# make test: the tests. make lint: style and format. make bench: speed and memory.
# make fuzz: damaged and hostile files, and processes killed at random moments.
# Each first creates .venv with requirements/dev.txt, if it is missing.
PYTHON ?= $(shell command -v python3.11 || echo python3)
INSTALLED := .venv/.installed
AUDIO := $(shell find -L gtzan -path gtzan/demo -prune -o ! -name '.*' \
	\( -iname '*.au' -o -iname '*.wav' -o -iname '*.flac' -o -iname '*.ogg' -o -iname '*.mp3' \) \
	-print 2>/dev/null | head -n 1)

.PHONY: train test lint bench fuzz

train: $(INSTALLED)
ifdef AUDIO
	.venv/bin/python GenreFeatureData.py $(if $(GENRES),--genres $(GENRES))
	.venv/bin/python lstm_genre_classifier_pytorch_PiecewiseDecay.py --recipe improved
else
	@echo "gtzan/ holds no audio (gtzan/README.md says how to get it):"
	@echo "training on a synthetic demo corpus instead, for a few epochs."
	.venv/bin/python GenreFeatureData.py --demo
	.venv/bin/python lstm_genre_classifier_pytorch_PiecewiseDecay.py --demo \
		--epochs 60 --learning-rate 0.001
endif

test: $(INSTALLED)
	.venv/bin/python -m pytest

lint: $(INSTALLED)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

bench: $(INSTALLED)
	.venv/bin/python -m benchmarks

fuzz: $(INSTALLED)
	.venv/bin/python tests/fuzz.py
	.venv/bin/python tests/crash.py

$(INSTALLED): requirements.txt requirements/dev.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q -r requirements/dev.txt
	@touch $@
