# SPDX-License-Identifier: MIT
# Short names for what meson does. Variables: BUILD, prefix, DESTDIR, ARGS (for run), FUZZ_SECONDS, MUTANTS, SEED,
# personality (for install: netstat, ss or both with a comma installs links of these names).
BUILD ?= build
prefix ?= /usr/local
FUZZ_SECONDS ?= 60
MUTANTS ?= 100000
SEED ?= 1

.PHONY: all run check bench fuzz mutants install clean

all:
	tools/install-deps build
	test -f $(BUILD)/build.ninja || meson setup $(BUILD) -Dtests=false
	ninja -C $(BUILD)

run: all
	$(BUILD)/cli/portavoz $(ARGS)

check:
	@tools/install-deps check
	@tools/check

bench:
	tools/install-deps bench
	test -f build-bench/build.ninja || meson setup build-bench --buildtype=release
	ninja -C build-bench
	bench/run --build build-bench

fuzz:
	tools/install-deps fuzz
	tools/fuzz $(FUZZ_SECONDS)

mutants:
	tools/install-deps check
	tools/mutants $(MUTANTS) $(SEED)

install: all
	meson configure $(BUILD) -Dprefix=$(prefix) $(if $(personality),-Dpersonality=$(personality))
	DESTDIR="$(DESTDIR)" meson install -C $(BUILD)
	test -n "$(DESTDIR)" || ldconfig

clean:
	rm -rf build build-check build-sanitize build-bench build-fuzz
