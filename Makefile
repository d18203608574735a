# make setup | demo | run | test | test-all | coverage | test-homeassistant-newest | check | bench | docs | screenshots | vendor | clean | lock
# make dist | deb | image | docs-site | sbom | audit | checksums | compose-file | app-repository | release-check
# Everything is installed into .venv from locked requirements; plain Python 3.11 or newer is all that is needed.

PYTHON ?= python3
# most tests wait for something most of the time: twice as many processes as a small machine has cores
PROCESSES ?= 4
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
READY := $(VENV)/.ready
# what builds the documentation site, apart from everything else
SITE := .cache/site
# an environment of its own for the tools of a release
RELEASE := .cache/release
RELEASE_READY := $(RELEASE)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(LOCK_OPTIONS)

# what is built says its commit, and has its time
EXPORT_COMMIT = export ISKRA_COMMIT=$$(git rev-parse HEAD) ISKRA_COMMIT_DATE=$$(git show -s --format=%cI) \
	SOURCE_DATE_EPOCH=$$(git show -s --format=%ct)

YAML_RULES = {extends: default, rules: {document-start: disable, line-length: {max: 120}, \
	comments: {min-spaces-from-content: 1}, truthy: {check-keys: false}}}

# the tests start hundreds of processes: modules are compiled once
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo run test test-all coverage test-homeassistant-newest check bench docs clean lock vendor screenshots \
	dist deb image docs-site sbom audit checksums compose-file app-repository release-check prepared compiled system-packages
.DEFAULT_GOAL := setup

setup: $(READY)

# what the server needs, and what builds the package: enough for `make demo` and `make run`
$(RUNTIME): requirements/runtime.txt requirements/build.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else \
		f"Python 3.11 or newer is needed, $(PYTHON) is {v[0]}.{v[1]}; name another one: make setup PYTHON=python3.13")'
	@echo "Installing the server into $(VENV) (about 100 MB) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(READY): $(RUNTIME) requirements/dev.txt
	@echo "Installing the tools for tests and checks into $(VENV) (about 700 MB) ..."
	@# uv installs them in a tenth of pip's time; pip does it where only pip is configured, such as with a mirror
	@awk '/^[^ #]/ {own = /^uv==/} own' requirements/dev.txt > $(VENV)/.uv.txt
	@$(PIP) --require-hashes -r $(VENV)/.uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt || \
		{ echo "uv could not install them; pip does it, which takes longer ..."; $(PIP) --require-hashes -r requirements/dev.txt; }
	@touch $@

# a simulated meter in a household, at http://localhost:8080/
demo: $(RUNTIME)
	$(BIN)/iskra-server demo $(ARGS)

# the meter at this machine's infrared head, e.g. make run ARGS='--help'
run: $(RUNTIME)
	$(BIN)/iskra-server serve $(ARGS)

test: prepared
	$(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

# what tests run with: Python's packages and the system's, installed side by side
prepared:
	@$(MAKE) --no-print-directory --jobs 2 compiled system-packages

# the tests of a new checkout are compiled once, not once by each process
compiled: setup
	@test -d tests/__pycache__ || $(BIN)/pytest --collect-only $(ARGS) >/dev/null 2>&1 || true

system-packages:
	@.ci/system-packages

# also the tests that take longest and show the least that others do not
test-all: prepared
	TEST_SLOW=1 $(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

# the same tests, with the lines and branches of src/ that they do not reach
coverage: prepared
	@rm -rf .cache/coverage && mkdir -p .cache/coverage
	$(BIN)/coverage run -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS); \
		status=$$?; $(BIN)/coverage combine --quiet; $(BIN)/coverage report; exit $$status

# the newest Home Assistant that runs on a Debian's Python, in that Debian
test-homeassistant-newest: prepared
	TEST_HOMEASSISTANT=newest $(BIN)/pytest tests/homeassistant $(ARGS)

check: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/yamllint --strict --config-data '$(YAML_RULES)' docker-compose.yml deploy/*compose*.yml \
		deploy/central/docker-compose.yml deploy/homeassistant .github/workflows .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[a-z]*_*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/zizmor --offline --quiet --no-progress .github
	@if test -x $(BIN)/actionlint; then PATH="$(CURDIR)/$(BIN):$$PATH" actionlint; else echo "no actionlint for this machine"; fi
	@if test -x $(BIN)/shellcheck; then $(BIN)/shellcheck .ci/run .ci/javascript .ci/system-packages .ci/vendor \
		deploy/homeassistant/iskra_server/app.sh; else echo "no shellcheck for this machine"; fi
	@.ci/javascript
	@if test -x $(BIN)/hadolint; then $(BIN)/hadolint Dockerfile deploy/homeassistant/iskra_server/Dockerfile; \
		else echo "no hadolint for this machine"; fi
	$(BIN)/pytest tests/test_architecture.py tests/test_docs.py tests/release/test_workflows.py

bench: setup
	@for file in $$(grep -l __main__ bench/*.py); do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

$(RELEASE_READY): requirements/release.txt
	@echo "Installing the tools for a release into $(RELEASE) (about 150 MB) ..."
	@rm -rf $(RELEASE) && $(PYTHON) -m venv $(RELEASE)
	@$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/release.txt
	@touch $@

# sdist and wheel of the commit in dist/, built twice and equal byte by byte
dist: $(RUNTIME)
	$(BIN)/python release/build_dist.py

# Debian packages of the wheel; DIST=built takes the one that lies in dist/
deb: $(if $(filter built,$(DIST)),,dist) $(RUNTIME) $(RELEASE_READY)
	@$(EXPORT_COMMIT) && PATH="$(CURDIR)/$(RELEASE)/bin:$$PATH" $(BIN)/python release/build_deb.py $(ARGS)

# container image of the commit, for this machine or as ARGS say
image:
	@$(PYTHON) release/image.py $(ARGS)

# bills of materials in dist/, CycloneDX
sbom: $(RELEASE_READY)
	$(RELEASE)/bin/python release/sbom.py

# known vulnerabilities of all locked packages
audit: $(RELEASE_READY)
	$(RELEASE)/bin/python release/audit.py

# dist/SHA256SUMS
checksums:
	$(PYTHON) release/artefacts.py

# the compose files of a release; the first names an image: make compose-file IMAGE=registry.example/owner/name:latest
compose-file:
	@mkdir -p dist
	$(PYTHON) release/compose_file.py --image "$(IMAGE)" > dist/docker-compose.yml
	@cp deploy/docker-compose.host.yml deploy/docker-compose.emulation.yml dist/
	@echo "dist/docker-compose.yml names $(IMAGE)"

# what people add to Home Assistant, in build/: make app-repository IMAGE=registry.example/owner/name-app URL=https://...
app-repository:
	@rm -rf build/app-repository
	$(PYTHON) deploy/homeassistant/publish.py build/app-repository $(if $(URL),--url "$(URL)") $(if $(IMAGE),--image "$(IMAGE)")
	@echo "build/app-repository: $$(grep -h '^version:' build/app-repository/*/config.yaml | sort -u)"

# all of a release but the uploads: make release-check VERSION=1.2.3
release-check: $(RUNTIME)
	@$(BIN)/python release/check.py "$(VERSION)" $(ARGS)

# the parts of docs/ that are written from the code
docs: setup
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/site/reference.py

$(SITE)/.ready: requirements/site.txt
	@echo "Installing the generator of the site into $(SITE) (about 80 MB) ..."
	@$(PYTHON) -m venv $(SITE)
	@$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/site.txt
	@touch $@

# the documentation as a site, in build/site: open build/site/latest/index.html
docs-site: $(SITE)/.ready
	$(SITE)/bin/python docs/site/make_site.py $(ARGS)

# the pictures of the page in docs/, of a demonstration of its own: make screenshots ARGS="now-light cost"
screenshots: setup
	$(BIN)/python docs/screenshots.py $(ARGS)

# newest versions that pyproject.toml allows: make lock LOCK_OPTIONS=--upgrade
lock: setup
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --extra encrypted --constraints requirements/runtime.txt --output-file requirements/encrypted.txt
	$(LOCK) pyproject.toml --extra encrypted --extra postgres --constraints requirements/encrypted.txt \
		--output-file requirements/image.txt
	$(LOCK) requirements/build.in --output-file requirements/build.txt
	$(LOCK) pyproject.toml --group dev requirements/tools.in --constraints requirements/image.txt \
		--output-file requirements/dev.txt
	$(LOCK) requirements/site.in --output-file requirements/site.txt
	$(LOCK) requirements/clients.in --output-file requirements/clients.txt
	$(LOCK) requirements/release.in --constraints requirements/dev.txt --output-file requirements/release.txt
	@if command -v npm >/dev/null; then npm run --silent --prefix tests/js lock; \
		else echo "no npm: tests/js/package-lock.json is left as it is"; fi

# what the page has from others, in its newest release: make vendor ARGS=uplot@1.6.32
vendor:
	.ci/vendor $(ARGS)

clean:
	rm -rf .cache tests/js/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +
