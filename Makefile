# Two commands: `make book` builds the book, `make test` proves it. `make` alone lists the rest.
# Recipes are short on purpose: the work is done by the files in tools/.

PYTHON ?=
export PYTHON
python := .venv/bin/python

.PHONY: help book test live pdf zip test-online lab run text untext serve bench course clean install
.DEFAULT_GOAL := help

help: ## say what each target does
	@echo "Generalized Linear Models, computed. Needs Python 3.11 or newer; everything else goes into .venv."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: install ## build the book into _build/html and print the file to open
	@$(python) tools/build_book.py

test: install ## prove everything: unit tests, oracles, every chapter run again twice, the built pages
	@$(python) tools/prove.py

live: install ## add Python in the browser to the built book: live cells, JupyterLite, notebooks to download
	@$(python) tools/live.py

pdf: install ## print the whole book into _build/glm-book.pdf (needs Chromium)
	@$(python) tools/print_book.py

zip: install ## pack the built book, to read from disk, into _build/glm-book.zip
	@$(python) tools/pack_book.py

test-online: live pdf zip ## press every button: each chapter in the browser's Python, notebooks in a bare environment, access, PDF
	@$(python) -m pytest -q -n 2 --dist worksteal -p no:cacheprovider tests/online

lab: install ## open the chapters as notebooks in JupyterLab
	@$(python) -m jupyter lab --notebook-dir=. book

run: install ## re-execute the chapters, or one: make run CHAPTER=06
	@$(python) tools/run_chapter.py $(CHAPTER)

text: install ## write a chapter as text to edit, to _text/: make text CHAPTER=06
	@$(python) tools/text.py to-text $(CHAPTER)

untext: install ## put the edited text back into the notebook: make untext CHAPTER=06
	@$(python) tools/text.py to-notebook $(CHAPTER)

serve: book ## build, then serve the book at a local address until Ctrl-C
	@$(python) -m http.server --bind 127.0.0.1 --directory _build/html $(or $(PORT),8000)

bench: install ## time glmref beside its peers (installs them; takes about an hour on a quiet machine)
	@$(python) -m pip install --quiet -r benchmarks/requirements.txt
	@$(python) benchmarks/glm.py
	@$(python) benchmarks/glm.py --threads 2
	@$(python) benchmarks/gee.py
	@$(python) benchmarks/scale.py

course: install ## install the coursework's grader and list the assignments: assignments/MANUAL.md says the rest
	@$(python) -m pip install --quiet -r assignments/requirements.txt
	@$(python) assignments/manage.py list

clean: ## remove the built book and caches (keeps .venv and _text)
	@rm -rf _build .pytest_cache .hypothesis
	@find assignments book glmref tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Removed _build and caches."

install:
	@sh tools/bootstrap.sh
