# `make help` says what there is. Each job first installs the Debian packages that it lacks (WFLKS_NO_INSTALL=1 forbids it).

.DEFAULT_GOAL := build
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
BUILD := build/full
TEXT ?= /usr/share/common-licenses/GPL-3

# Configured once with what the job needs; ninja repeats it by itself when a CMake file changes.
configure = test -f $(1)/build.ninja || cmake --preset $(notdir $(1)) $(2) >$(1).log 2>&1 || { cat $(1).log; exit 1; }

.PHONY: help build run test deb site install uninstall lint tidy format coverage bench soak fuzz clean deps

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## Install every package that any job here needs
	@scripts/install_dependencies.sh all

build: ## Build wfl, kvb and libkvb, optimised, in build/full
	@scripts/install_dependencies.sh build
	@mkdir -p build
	@$(call configure,$(BUILD),-DWFLKS_BUILD_TESTS=OFF)
	@cmake --build $(BUILD) -j $(JOBS) --target product
	@echo "Built: $(BUILD)/apps/wfl/wfl, $(BUILD)/apps/kvb/kvb, $(BUILD)/src/kvb/libkvb.a and libkvb.so"

run: build ## Run examples/word_count.wfl on a real text, twice (TEXT=FILE for another text)
	@scripts/run_example.sh $(BUILD)/apps/wfl/wfl "$(TEXT)"

test: ## Build and run every test; the last line says how many passed and failed
	@scripts/install_dependencies.sh test
	@scripts/run_tests.py --jobs $(JOBS)

install: build ## Install below PREFIX (default /usr/local): programs, headers, libraries, pkg-config file, CMake package
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)" >$(BUILD)/install.log || { cat $(BUILD)/install.log; exit 1; }
	@echo "Installed below $(DESTDIR)$(PREFIX); $(BUILD)/install_manifest.txt lists the files."

deb: ## Make Debian packages in build/deb/packages: libkvb0, libkvb-dev, kvb, wfl
	@scripts/install_dependencies.sh build
	@mkdir -p build
	@$(call configure,build/deb)
	@cmake --build build/deb -j $(JOBS) --target product
	@rm -rf build/deb/packages
	@cd build/deb && cpack -B packages >cpack.log 2>&1 || { cat cpack.log; exit 1; }
	@rm -rf build/deb/packages/_CPack_Packages
	@ls -1 build/deb/packages/*.deb

site: ## Make the documentation as a web site in build/site/html
	@scripts/install_dependencies.sh site
	@scripts/site.py

uninstall: ## Remove what the last make install put there
	@test -f $(BUILD)/install_manifest.txt || { echo "Nothing is known to be installed: $(BUILD)/install_manifest.txt is not there."; exit 1; }
	@xargs -d '\n' rm -f < $(BUILD)/install_manifest.txt && rm $(BUILD)/install_manifest.txt && echo "Removed."

lint: ## Check format, layers, headers, shell and Python scripts
	@scripts/install_dependencies.sh lint
	@scripts/lint.py --jobs $(JOBS)

tidy: ## Look at every file with clang-tidy (LINT_SECONDS=N: no longer than that)
	@scripts/install_dependencies.sh lint
	@scripts/lint.py --jobs $(JOBS) --only tidy $(if $(LINT_SECONDS),--tidy-seconds $(LINT_SECONDS))

format: ## Rewrite all C++ and C files in the project's format
	@scripts/install_dependencies.sh lint
	@scripts/lint.py --fix-format

coverage: ## Line and branch coverage of the tests: build/coverage/report/index.html
	@scripts/install_dependencies.sh coverage
	@scripts/coverage.sh $(JOBS)

bench: ## Measure the store beside its peers and the language, in half an hour, and write docs/BENCHMARKS.md (QUICK=1: a few minutes, writes build/bench/report)
	@scripts/install_dependencies.sh bench
	@JOBS=$(JOBS) scripts/bench.sh $(if $(filter-out 0,$(QUICK)),--quick) $(BENCH)

soak: ## Run the random tests of the engine with much more work, again and again, for SECONDS (default 3600)
	@scripts/install_dependencies.sh test
	@scripts/soak.sh $(or $(SECONDS),3600) $(JOBS)

fuzz: ## Run each libFuzzer target for SECONDS (default 60)
	@scripts/install_dependencies.sh fuzz
	@scripts/fuzz.sh $(or $(SECONDS),60) $(JOBS)

clean: ## Remove everything that was built
	rm -rf build
