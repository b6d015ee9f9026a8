# cdvm: one Makefile. `make demo` and `make test` are all a newcomer types.
# User variables: CC, CFLAGS, B (build folder), V=1 (show commands), PREFIX, DESTDIR, VECTORS.
CC ?= gcc
B ?= build
VECTORS ?= ../shared/vectors
PREFIX ?= /usr/local
SAN ?=
V ?=
Q := $(if $(V),,@)

PKGS := libssl libcrypto libsecp256k1 libcjson libcurl libwebsockets sqlite3 libarchive libsodium libutf8proc ncursesw libxml-2.0 xmlsec1-openssl
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes \
	-Wvla -Wformat=2 -Werror
HARD := -fstack-protector-strong -fPIE -fstack-clash-protection -fcf-protection
CFLAGS ?= -O2 -g
# DUCKDB=DIR: a tree with DuckDB's header and library (of Debian's packages, unpacked). The table workload is
# then built with that engine, and runs where the library does; without, it is the lean one, on SQLite.
PACKAGES ?=
DUCKDB ?= $(patsubst %/usr/include/duckdb.h,%,$(wildcard $(PACKAGES)/table/usr/include/duckdb.h))
FORTIFY := $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -MMD -MP -I. $(WARN) $(HARD) $(FORTIFY) $(CFLAGS) $(SAN)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(LDFLAGS) $(SAN)
LIBS = $(shell pkg-config --libs $(PKGS)) -lpthread
GUEST_LIBS = $(shell pkg-config --libs libcrypto libsecp256k1 libcjson libseccomp)

# The clone's own path may hold spaces: every name here is relative to it. B may not.
ifneq ($(words $(B)),1)
$(error B='$(B)': make cannot build in a folder whose name has a space in it)
endif

comma := ,
src = $(wildcard $(1)/*.c)
obj = $(patsubst %.c,$(B)/o/%.o,$(1))

include $(wildcard $(B)/o/*.d $(B)/o/*/*.d $(B)/o/*/*/*.d $(B)/o/*/*/*/*.d)

.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

CORE := $(call obj,$(call src,core))
ATTEST := $(call obj,$(call src,attest))
PROVIDER := $(call obj,$(call src,provider))
TUI := $(call obj,$(call src,tui))
GUEST := $(call obj,$(call src,guest))
# No relay, no HTTP, no passphrase in what is measured, and so none of their libraries where the image is made.
GUEST_CORE := $(filter-out $(call obj,core/http.c core/httpd.c core/listen.c core/ws.c core/wsio.c core/passphrase.c \
	core/aead.c core/collateral.c core/bundle.c),$(CORE))
DUCKDB_SRC := $(wildcard guest/workloads/lib/*duckdb*.c)
# html and docx are read by libxml2: in the image that of the chat workload's packages, if it is in image.lock.
XML := $(if $(PACKAGES),$(wildcard $(PACKAGES)/chat/usr/include/libxml2),host)
XML_SRC := guest/workloads/lib/extract_html.c guest/workloads/lib/extract_docx.c
XML_CFLAGS = $(if $(PACKAGES),-isystem $(XML),$(shell pkg-config --cflags libxml-2.0))
XML_LIBS = $(if $(PACKAGES),$(XML:%/include/libxml2=-L%/lib/x86_64-linux-gnu -lxml2 -Wl$(comma)--allow-shlib-undefined),$(shell \
	pkg-config --libs libxml-2.0))
WORKLOAD_LIB := $(call obj,$(filter-out $(if $(DUCKDB),,$(DUCKDB_SRC)) $(if $(XML),,$(XML_SRC)),$(call src,guest/workloads/lib)))
WORKLOADS := $(patsubst guest/workloads/%.c,$(B)/workload-%,$(wildcard guest/workloads/*.c))
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
ARCHIVES = $(B)/libtui.a $(B)/libprovider.a $(B)/libattest.a $(B)/libcore.a
TESTED = $(B)/libguest.a $(B)/libworkload.a $(ARCHIVES)

.PHONY: text-table all deps test test-long unit fuzz bench lint interop demo demo-headless demo-chat image base clean format \
	man install uninstall
all: cdvm $(B)/cdvm-guest $(WORKLOADS)

$(B)/o/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC   $<")
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(call obj,$(XML_SRC)): ALL_CFLAGS += $(XML_CFLAGS)
# NVIDIA's reference values are signed XML; only these know of the two libraries.
SIGNED_XML := $(call obj,attest/gpu_rim.c attest/rim_xml.c attest/rim_signature.c \
	$(addprefix tests/unit/test_,gpu_rim.c gpu_verify.c broker_judge.c session_gpu.c))
$(SIGNED_XML): ALL_CFLAGS += $(patsubst -I%,-isystem %,$(shell pkg-config --cflags xmlsec1-openssl))

define archive
$(B)/lib$(1).a: $(2)
	$(if $(Q),@echo "  AR   $$@")
	@mkdir -p $$(@D)
	$(Q)rm -f $$@; ar $(if $(2),rcs,qc) $$@ $(2)
endef
$(eval $(call archive,core,$(CORE)))
$(eval $(call archive,attest,$(ATTEST)))
$(eval $(call archive,provider,$(PROVIDER)))
$(eval $(call archive,tui,$(TUI)))
$(eval $(call archive,guestcore,$(GUEST_CORE)))
$(eval $(call archive,workload,$(WORKLOAD_LIB)))
$(eval $(call archive,guest,$(filter-out %/agent.o,$(GUEST))))

cdvm: $(B)/cdvm
	@cp -f $< $@
$(B)/cdvm: $(B)/o/main.o $(ARCHIVES)
	$(if $(Q),@echo "  LD   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# For tests on this machine: what the image holds is compiled from the same rules inside build/root.
.PHONY: guest-programs
guest-programs: $(B)/cdvm-guest $(WORKLOADS)
$(B)/cdvm-guest: $(GUEST) $(B)/libguestcore.a
	$(if $(Q),@echo "  LD   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(GUEST_LIBS)

$(B)/workload-table: WORKLOAD_LIBS = $(if $(DUCKDB),-L$(DUCKDB)/usr/lib/x86_64-linux-gnu -lduckdb \
	-Wl$(comma)--allow-shlib-undefined)
$(B)/o/guest/workloads/table.o $(call obj,$(DUCKDB_SRC)): \
	ALL_CFLAGS += $(if $(DUCKDB),-DTABLE_DUCKDB -isystem $(DUCKDB)/usr/include)
$(B)/workload-chat: WORKLOAD_LIBS = $(XML_LIBS) -lm
$(B)/workload-%: $(B)/o/guest/workloads/%.o $(B)/libworkload.a $(B)/libguestcore.a
	$(if $(Q),@echo "  LD   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(WORKLOAD_LIBS) $(shell pkg-config --libs libcjson sqlite3 libcrypto) -lpthread

# A unit test includes the .c under test; everything else comes from the archives.
$(B)/unit/%: $(B)/o/tests/unit/%.o $(TESTED)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD   $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS) $(XML_LIBS) -lm $(shell pkg-config --libs libseccomp)

# NVIDIA's library as those tests load it that run the guest's own code on it.
FAKE_NVML := $(B)/fake/libnvidia-ml.so.1
$(FAKE_NVML): tests/unit/fake_nvml.c guest/nvml_abi.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -shared -o $@ $< $(SAN) -lcrypto
$(B)/unit/test_guest_gpus $(B)/unit/test_guest_evidence $(B)/e2e/nvml_box $(B)/e2e/nvml_init: | $(FAKE_NVML)
$(B)/e2e/nvml_box $(B)/e2e/nvml_init: LIBS += -lseccomp

$(B)/bench/%: $(B)/o/tests/bench/%.o $(B)/libworkload.a $(ARCHIVES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(XML_LIBS) -lm

# Drivers of the end-to-end tests: the program's own parts with knobs that the program has not.
$(B)/e2e/hostile_provider: ALL_LDFLAGS += $(addprefix -Wl$(comma)--wrap=,vm_sealed_file image_load vm_argv \
	vm_new job_boot_limit job_new rundir_make gateway_new gateway_finish offer_make cmdline_render)
$(B)/e2e/gpu_bundle: ALL_LDFLAGS += -Wl,--wrap=time
$(B)/e2e/flood: LIBS += -lvterm
E2E_PROGRAMS := $(patsubst tests/e2e/%.c,$(B)/e2e/%,$(wildcard tests/e2e/*.c))
$(B)/e2e/%: $(B)/o/tests/e2e/%.o $(TESTED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# cdvm verify and cdvm broker for synthetic PKI: the only program in which --test-root exists.
TESTROOTS := $(patsubst %.c,$(B)/o/testroots/%.o,attest/roots.c tui/cli_verify.c tui/verify_files.c provider/cli_broker.c \
	tests/tools/testroots.c)
$(B)/o/testroots/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DCDVM_TEST_ROOTS -c -o $@ $<
$(B)/cdvm-testroots: $(TESTROOTS) $(ARCHIVES)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
.PHONY: testroots
testroots: $(B)/cdvm-testroots

# How well documents are found, measured on this machine with the workload's own code.
$(B)/retrieval: $(B)/o/tests/tools/retrieval.o $(B)/libworkload.a $(B)/libguestcore.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(XML_LIBS) -lm $(shell pkg-config --libs libcjson sqlite3 libcrypto)

# Other people's implementations against ours; what is not installed or cannot be fetched is skipped.
$(B)/interop/peer: $(B)/o/tests/interop/peer.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
interop: cdvm $(B)/interop/peer
	@tests/interop/interop.sh $(T)

unit: $(UNIT)
	@VECTORS=$(VECTORS) tests/run.sh $(UNIT)

# The screens as they are now become those that the test expects: tests/screens/*.txt. Read the difference.
.PHONY: golden
golden: $(B)/unit/test_screens
	@UPDATE_SCREENS=1 $< >/dev/null && git --no-pager diff --stat -- tests/screens

# One JSON object a line: name, unit, median, p95, n, against.
# Fuzzers: clang with libFuzzer, ASan and UBSan, in a build folder of their own.
FUZZ_SECONDS ?= 5
FUZZ_B := $(B)/fuzz
FUZZ_SAN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_LIBS := $(addprefix $(FUZZ_B)/lib,guest.a workload.a tui.a provider.a attest.a core.a)
.PHONY: fuzz-libs
fuzz-libs:
	$(Q)$(MAKE) --no-print-directory -s B=$(FUZZ_B) CC=clang CFLAGS="-O1 -g" SAN="$(FUZZ_SAN)" $(FUZZ_LIBS)
$(FUZZ_LIBS): fuzz-libs ;
$(FUZZ_B)/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_LIBS)
	$(Q)clang -std=gnu17 -D_GNU_SOURCE -I. -O1 -g $(FUZZ_SAN) -fsanitize=fuzzer -o $@ $< $(FUZZ_LIBS) $(LIBS) $(XML_LIBS) -lm -lseccomp
FUZZERS := $(if $(T),$(FUZZ_B)/fuzz_$(T),$(FUZZ:%=$(FUZZ_B)/fuzz_%))
fuzz: $(FUZZERS)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) VECTORS=$(VECTORS) tests/fuzz/run.sh $(FUZZ_B) $(if $(T),$(T),$(FUZZ))

# Kernel, firmware, initrd, command line and the workloads' volumes, in build/image: a function of the
# source and of image.lock alone. `make lock` writes that anew from image.packages and what the mirror serves.
# DEBS, MIRROR, SNAPSHOT, LOCKED, KEYRING: see qemu-scripts/fetch-debs.sh.
# The program itself only prints the launch digests.
export DEBS MIRROR SNAPSHOT LOCKED KEYRING REPO
.PHONY: lock
image: cdvm
	$(Q)B=$(B) qemu-scripts/build-image.sh
lock:
	$(Q)B=$(B) qemu-scripts/fetch-debs.sh lock
	$(Q)SET=base B=$(B) qemu-scripts/fetch-debs.sh lock

# The release for GPUs: NVIDIA's driver, of Debian's non-free packages (base.lock), in build/image-gpu.
base: image
	$(Q)B=$(B) qemu-scripts/build-base.sh

lint:
	@tests/lint.sh

# Unicode classes of core/text.c. Needs libutf8proc-dev; run when its Unicode version is to change.
text-table:
	@mkdir -p $(B)
	$(Q)$(CC) -o $(B)/text-table tests/tools/text_table.c -lutf8proc
	$(Q)$(B)/text-table >core/text_table.h && clang-format -i core/text_table.h

.PHONY: name-table
name-table:
	@mkdir -p $(B)
	$(Q)$(CC) -o $(B)/name-table tests/tools/name_table.c $$(pkg-config --libs icu-uc icu-i18n)
	$(Q)$(B)/name-table >core/name_table.h && clang-format -i core/name_table.h

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build cdvm

# The tests. `make test` is what a newcomer and CI run (under 15 minutes on 2 cores); `make test-long`
# what CI runs after it (under 30 more), both two programs at a time. T=regex selects them by name.
E2E := $(filter-out tests/e2e/lib.sh,$(wildcard tests/e2e/*.sh))
LONG := $(wildcard tests/long/*.sh)
export B VECTORS FUZZ_SECONDS
test:
	$(Q)$(MAKE) --no-print-directory deps DEPS_FOR=test
	$(Q)$(MAKE) --no-print-directory -s -j$$(nproc) test-programs
	@JOBS=2 FUZZ_JOBS=1 tests/run.sh tests/fuzz.sh $(UNIT) tests/lint.sh $(E2E)
test-long:
	$(Q)$(MAKE) --no-print-directory deps DEPS_FOR=long
	$(Q)$(MAKE) --no-print-directory -s -j$$(nproc) test-programs
	@JOBS=2 FUZZ_JOBS=1 FUZZ_SECONDS=60 FUZZ_OTHERS=6 TEST_TIMEOUT=3600 tests/run.sh tests/fuzz.sh $(LONG) tests/interop/interop.sh
.PHONY: test-programs
test-programs: all image $(B)/cdvm-testroots $(B)/interop/peer $(UNIT) $(E2E_PROGRAMS) $(FUZZ:%=$(FUZZ_B)/fuzz_%)

# One JSON object a line: name, unit, median, p95, n, against.
bench: all image $(BENCH) $(B)/e2e/peer
	@tests/bench/run.sh $(BENCH)

# Said before anything is installed or fetched.
.PHONY: writable
writable:
	@mkdir -p $(B) 2>/dev/null; [ -w $(B) ] && [ -w . ] || { \
		echo "make: this folder cannot be written to (read-only, or not yours): clone it to a place of your own" >&2; exit 73; }

# DEPS=0 skips the package check (other distributions; offline).
deps: writable
	$(Q)[ "$(DEPS)" = 0 ] || qemu-scripts/install-deps.sh $(or $(DEPS_FOR),demo)

# STORY of demo-headless: table, chat or ocr. demo-chat is the story of the documents and the model.
STORY ?= table
demo demo-headless demo-chat: deps
	$(Q)$(MAKE) --no-print-directory -s all image
	$(Q)qemu-scripts/demo.sh $(if $(filter demo,$@),screen,headless $(if $(filter demo-chat,$@),chat,$(STORY)))

# Pictures of every screen from a real job: screenshots/NAME.png and NAME.txt.
$(B)/shot: tests/screens/shot.c
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) $(CFLAGS) -o $@ $< -lvterm
.PHONY: screenshots
screenshots:
	$(Q)$(MAKE) --no-print-directory deps DEPS_FOR=screenshots
	$(Q)$(MAKE) --no-print-directory -s all image $(B)/shot $(B)/e2e/gpu_bundle
	@tests/screens/screenshots.sh $(B)/shot

# The checks in cdvm-attestation(7), the keys and commands in cdvm(1), as the program lists them.
man: cdvm
	$(Q)./cdvm tui --list-keys | doc/make-keys.pl doc/cdvm.1 >$(B)/cdvm.1
	$(Q)cmp -s $(B)/cdvm.1 doc/cdvm.1 || cp $(B)/cdvm.1 doc/cdvm.1
	$(Q)./cdvm verify --list-checks | doc/make-checks.pl doc/cdvm-attestation.7 >$(B)/cdvm-attestation.7
	$(Q)cmp -s $(B)/cdvm-attestation.7 doc/cdvm-attestation.7 || cp $(B)/cdvm-attestation.7 doc/cdvm-attestation.7

# The program, the pages, completions, and scripts for a provider: its host, its volumes; the guest image where
# `make image` has built it (cdvm provider --image $(PREFIX)/share/cdvm/image).
MAN := $(wildcard doc/*.[157])
SHARE = $(DESTDIR)$(PREFIX)/share
PACKERS := qemu-scripts/make-volume.sh qemu-scripts/lib.sh
FOR_HOSTS := $(addprefix qemu-scripts/,host.sh prepare-host.sh check-host.sh bind-gpu.sh unbind-gpu.sh launch-guest.sh \
	fetch-collateral.sh)
INSTALLED = $(DESTDIR)$(PREFIX)/bin/cdvm $(SHARE)/bash-completion/completions/cdvm \
	$(SHARE)/zsh/site-functions/_cdvm $(foreach m,$(MAN),$(SHARE)/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))
install: cdvm
	install -D -m 0755 cdvm $(DESTDIR)$(PREFIX)/bin/cdvm
	install -D -m 0644 completions/cdvm.bash $(SHARE)/bash-completion/completions/cdvm
	install -D -m 0644 completions/_cdvm $(SHARE)/zsh/site-functions/_cdvm
	$(foreach m,$(MAN),install -D -m 0644 $(m) $(SHARE)/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)
	install -D -m 0755 -t $(SHARE)/cdvm/qemu-scripts $(PACKERS) $(FOR_HOSTS)
	$(if $(wildcard $(B)/image/.state),install -D -m 0644 -t $(SHARE)/cdvm/image $(wildcard $(B)/image/*))
uninstall:
	rm -f $(INSTALLED)
	rm -rf $(SHARE)/cdvm
