# libcfshim: `make help` lists the targets.
SHELL = /bin/bash
.SHELLFLAGS = -eu -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# All cores, unless the command line says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif

# Several goals run one after another, each in a make of its own: what `setup` installs is there when the next one looks.
ifneq ($(word 2,$(MAKECMDGOALS)),)
.PHONY: $(MAKECMDGOALS) in-order
$(MAKECMDGOALS): in-order
	@:
in-order:
	@for goal in $(MAKECMDGOALS); do GOALS="$(MAKECMDGOALS)" $(MAKE) "$$goal"; done
else

PREFIX ?= /usr/local
CC ?= gcc
ifeq ($(origin CC),default)
CC = gcc
endif
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
LIBDIR ?= $(PREFIX)/lib$(if $(MULTIARCH),/$(MULTIARCH))
BUILD ?= build
VERSION = 0.1.0
# From this day on a clock is believed that ends `verify = observe until`.
RELEASED = 2026-11-30
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

CPPFLAGS_ALL = -D_GNU_SOURCE -DCFSHIM_VERSION='"$(VERSION)"' -DCFSHIM_RELEASED='"$(RELEASED)"' -DCFSHIM_LIBDIR='"$(LIBDIR)"' \
	-DCFSHIM_MULTIARCH='"$(MULTIARCH)"' -DCFSHIM_BINDIR='"$(PREFIX)/bin"' -Ishim -Ipolicy \
	-I$(BUILD)/generated $(CPPFLAGS)
CPPFLAGS_COMMAND = $(CPPFLAGS_ALL) -Icli -Itests/support
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Walloca -Wnull-dereference -Wswitch-enum \
	-Wconversion -Wsign-conversion -Wunused-macros -Wcast-align -Wimplicit-fallthrough
WARNINGS_GCC = -Wcast-align=strict -Wformat-signedness -Wduplicated-cond -Wduplicated-branches -Wlogical-op \
	-Wimplicit-fallthrough=5 -Wtrampolines
IS_GCC := $(shell $(CC) --version 2>/dev/null | grep -q -i clang || echo yes)
ARCH := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)
HARDEN_x86_64 = -fcf-protection
HARDEN_aarch64 = -mbranch-protection=standard
HARDEN = -fstack-protector-strong -fstack-clash-protection $(HARDEN_$(ARCH))
WERROR ?= $(if $(CI),-Werror)
CFLAGS ?= -O2 -g
CFLAGS_ALL = -std=gnu11 $(CFLAGS) -fPIC -fvisibility=hidden -fno-common $(HARDEN) $(WARNINGS) \
	$(if $(IS_GCC),$(WARNINGS_GCC)) $(WERROR) $(SANITIZE) -MMD -MP
FORTIFY ?= -D_FORTIFY_SOURCE=2
LDFLAGS_ALL = -Wl,-z,relro,-z,now,-z,noexecstack $(SANITIZE) $(LDFLAGS)

POLICY_C = $(wildcard policy/*.c)
SHIM_C = $(wildcard shim/*.c shim/trust/*.c shim/wire/*.c)
CLI_C = $(wildcard cli/*.c)
# What the command and the unit tests share with the shim: no doors, no dlsym.
SHARED_C = $(POLICY_C) $(wildcard shim/trust/*.c shim/wire/*.c)
# What the unit tests take of the shim besides.
TESTED_C = shim/table.c shim/root.c shim/policy_watch.c $(wildcard shim/journal*.c) cli/counted.c cli/counted_numbers.c
SUPPORT_C = $(wildcard tests/support/*.c)
UNIT_C = $(wildcard tests/unit/*.c)
PROCESS_C = $(wildcard tests/process/*.c)
SERVER_C = $(filter-out %/service.c,$(wildcard tests/process/servers/*.c))
# small_server.c with an OpenSSL of its own.
STATIC_SERVER = $(BUILD)/tests/process/servers/static_server
ATTACK_C = $(wildcard tests/attacks/*.c)
PROCESS_SH = $(wildcard tests/process/*.sh)
SERVERS = $(wildcard tests/servers/*.sh)
# What `make test` has of them: quick to start, and in packages that `make setup` installs.
FEW_SERVERS = $(addprefix tests/servers/,$(addsuffix .sh,nginx-http2 apache-event apache-prefork haproxy-http stunnel socat \
	openssl-www python-http-server python-asyncio gnutls-serv static-openssl plain-http))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
fobj = $(patsubst %.c,$(BUILD)/fobj/%.o,$(1))
program = $(patsubst %.c,$(BUILD)/%,$(1))
UNIT = $(call program,$(UNIT_C))
PROCESS = $(call program,$(PROCESS_C))
ATTACKS = $(call program,$(ATTACK_C))
# A module that is linked to OpenSSL 1.1.1, where check-matrix has left one.
ROOTS = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/cfshim/roots
OLD_OPENSSL = $(wildcard $(addprefix $(ROOTS)/bullseye/usr/,lib/*-linux-gnu/libssl.so.1.1 lib/*-linux-gnu/libcrypto.so.1.1 \
	include/openssl include/*-linux-gnu/openssl))
# OpenSSL inside the program, or inside one library that binds to itself, where the static libraries are there.
STATIC_OPENSSL = $(wildcard $(shell $(CC) -print-file-name=libssl.a) $(shell $(CC) -print-file-name=libcrypto.a))
WHOLE_OPENSSL = $(if $(word 2,$(STATIC_OPENSSL)),$(addprefix $(BUILD)/tests/process/servers/,whole_server bound_openssl.so))
OLD_SERVICE = $(if $(word 4,$(OLD_OPENSSL)),$(BUILD)/tests/process/servers/old_service.so)

GENERATED_MANUALS = $(addprefix $(BUILD)/man/,cfshim.1 cfshim-policy.5)
COMPLETIONS = $(addprefix $(BUILD)/completions/,cfshim.bash _cfshim)

.PHONY: all help setup demo test programs clean
all: $(BUILD)/libcfshim.so $(BUILD)/cfshim $(GENERATED_MANUALS) $(COMPLETIONS) ## the library, the command, the manual
programs: all $(UNIT) $(PROCESS) $(ATTACKS) $(call program,$(SERVER_C)) $(STATIC_SERVER) $(OLD_SERVICE) $(WHOLE_OPENSSL)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' Makefile

# The tests' tools are large, a browser among them; who wants to see the demo does without.
setup: ## install what the build, the demo and the tests need (`setup lint`: and the lint; so with check-matrix, check-transparency, deb)
	@tests/setup.sh build test $(if $(filter-out setup demo,$(or $(GOALS),test)),tools examples servers) \
		$(if $(CI)$(filter lint check-valgrind,$(GOALS)),lint) \
		$(if $(CI)$(filter check-matrix check-attacks-matrix check-machine check-bsymbolic,$(GOALS)),matrix) \
		$(if $(filter check-transparency,$(GOALS)),transparency) $(if $(filter deb check-packages,$(GOALS)),packages)

demo: all ## unmodified servers, strangers and the edge: who gets in
	@BUILD=$(BUILD) examples/demo/run.sh

test: programs ## unit and process tests, the attacks, and a dozen servers
	@BUILD=$(BUILD) tests/run.sh $(UNIT) $(PROCESS) $(ATTACKS) $(PROCESS_SH) $(FEW_SERVERS)

.PHONY: setup-servers check-servers
setup-servers: ## unpack what check-servers wants, without installing it (root, Debian 12)
	@tests/servers/common/setup.sh
check-servers: programs ## all unmodified servers: strangers, the edge, two rules in one process (root)
	@BUILD=$(BUILD) tests/run.sh $(SERVERS)

.PHONY: check-doctor
check-doctor: all ## is doctor right about the servers of FOLDER, which has a script NAME/run.sh for each (root)
	@BUILD=$(BUILD) tests/doctor.sh "$(FOLDER)" $(NAMES)

# What a refusal is to the servers that people have: 200 in a row by each answer.
REFUSING = apache-event apache-http2 lighttpd-openssl haproxy-http python-http-server python-asyncio uvicorn gunicorn uwsgi nodejs puma
.PHONY: check-refusals
check-refusals: programs ## servers refuse by each answer, 200 times in a row, and keep nothing; 10,000 refused requests reach no host
	@BUILD=$(BUILD) REFUSED=10000 TEST_LIMIT=1800 tests/run.sh $(BUILD)/tests/process/counts_no_refused_request
	@BUILD=$(BUILD) tests/process/refuses_as_told.sh $(REFUSING)

# A program that is not instrumented needs the sanitizer's own library before ours: tests put PRELOAD_FIRST there.  With that
# library no program is left as it was (curl --version hangs under libasan alone), so that test stays out.
.PHONY: check-asan check-tsan check-valgrind
SANITIZED = CFLAGS="-O1 -g -fno-omit-frame-pointer" FORTIFY= WERROR= PROCESS_SH=tests/process/cli.sh \
	PROCESS_C="$(filter-out tests/process/leaves_programs_alone.c,$(PROCESS_C))" FEW_SERVERS= test
check-asan: ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
		PRELOAD_FIRST="$$($(CC) -print-file-name=libasan.so)" $(MAKE) BUILD=$(BUILD)/asan \
		SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" $(SANITIZED)
check-tsan: ## the tests under ThreadSanitizer
	@TSAN_OPTIONS=halt_on_error=1:suppressions=$(CURDIR)/tests/lint/tsan.txt \
		PRELOAD_FIRST="$$($(CC) -print-file-name=libtsan.so)" $(MAKE) BUILD=$(BUILD)/tsan \
		SANITIZE=-fsanitize=thread $(SANITIZED)
check-valgrind: $(UNIT) ## the unit tests under valgrind
	@BUILD=$(BUILD) TEST_LIMIT=1800 RUN_UNDER="valgrind -q --error-exitcode=99 --leak-check=full" tests/run.sh $(UNIT)

# Each file of tests/fuzz is a program of its own, with all that the command shares with the shim.  What a run has
# found out is kept, and the next one starts from it.
.PHONY: check-fuzz
FUZZ_C = $(wildcard tests/fuzz/*.c)
FUZZ = $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_C))
FUZZ_CLANG ?= $(or $(shell command -v clang clang-14 | head -1),clang)
SECONDS ?= 60
FUZZ_OPTIONS_policy = -max_len=8192 -dict=tests/fuzz/policy.dict examples/policies
FUZZ_OPTIONS_http_request = -max_len=4096 -dict=tests/fuzz/http_request.dict
check-fuzz: $(addsuffix .run,$(FUZZ)) ## fuzz the parsers, SECONDS (60) each (clang)
$(BUILD)/fuzz/%: tests/fuzz/%.c $(wildcard tests/fuzz/*.h) $(SHARED_C) $(wildcard policy/*.h shim/*/*.h) $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CLANG) $(CPPFLAGS_COMMAND) -std=gnu11 -O1 -g -fno-omit-frame-pointer \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $< $(SHARED_C)
.PHONY: $(addsuffix .run,$(FUZZ))
$(addsuffix .run,$(FUZZ)): %.run: %
	@mkdir -p $*.corpus
	@$< -max_total_time=$(SECONDS) -timeout=10 -print_final_stats=1 -verbosity=0 -artifact_prefix=$*. $*.corpus \
		$(FUZZ_OPTIONS_$(@F:.run=)) >$*.log 2>&1 || { tail -40 $*.log; exit 1; }
	@echo "fuzz: $(@F:.run=): $$(sed -n 's/^stat::number_of_executed_units: *//p' $*.log) inputs in $(SECONDS) s, nothing found"
.PHONY: check-transparency
check-transparency: all ## CPython's own tests of TLS and sockets end as without the library, where the policy is off
	@BUILD=$(BUILD) TEST_LIMIT=1800 tests/run.sh tests/transparency/cpython.sh

.PHONY: check-machine check-bsymbolic
check-machine: ## a whole machine with the library in /etc/ld.so.preload and no policy file (root, debootstrap)
	@BUILD=$(BUILD) TEST_LIMIT=3600 tests/run.sh tests/machine.sh
check-bsymbolic: ## servers of Debian 13 on an OpenSSL that is linked with -Bsymbolic, as upstream links it (root, debootstrap)
	@BUILD=$(BUILD) tests/bsymbolic.sh

.PHONY: check-load
check-load: programs ## 20,000 connections to each of four servers, 64 at once, over two ports; 100 changes of the policy under load
	@CONNECTIONS=20000 CHANGES=100 TEST_LIMIT=1800 BUILD=$(BUILD) tests/run.sh \
		$(addprefix $(BUILD)/tests/process/,tells_ports_apart_under_load changes_under_load)

.PHONY: check-counts
check-counts: programs ## the counters after 50,000 connections to nginx are what the clients saw
	@CONNECTIONS=50000 TEST_LIMIT=3600 BUILD=$(BUILD) tests/run.sh $(BUILD)/tests/process/counts_connections

.PHONY: check-throughput
check-throughput: all ## what is left of nginx's throughput on an open site of a mixed port
	@BUILD=$(BUILD) tests/hosts/throughput.sh

.PHONY: check-mutants
check-mutants: programs ## the tests against libraries that lack one enforcement each; takes long
	@BUILD=$(BUILD) tests/mutants.sh

# Other versions of OpenSSL, each in a root of its own, which is kept.
.PHONY: check-matrix check-attacks-matrix clean-roots
check-matrix: ## unit, process and attack tests on OpenSSL 1.1.1, 3.0, 3.5 and the newest (root, debootstrap)
	@BUILD=$(BUILD) tests/matrix.sh unit process attacks
check-attacks-matrix: ## of these, the attacks alone
	@BUILD=$(BUILD) tests/matrix.sh attacks
clean-roots: ## remove the roots of check-matrix, and what check-machine and check-bsymbolic have over them
	rm -rf --one-file-system $(ROOTS) $(addprefix $(dir $(ROOTS)),machine bsymbolic)

# Generated: Cloudflare's CA and ranges as C string literals, a line each, and the day of the ranges; the exports; the manual's tables.
GENERATED = $(addprefix $(BUILD)/generated/cloudflare_,ca.inc ranges.inc ranges_day.inc)
$(FUZZ): $(GENERATED)
$(BUILD)/generated/cloudflare_ca.inc: policy/cloudflare/origin_pull_ca.pem
	@mkdir -p $(@D)
	$(Q)sed 's/.*/"&\\n"/' $< >$@
$(BUILD)/generated/cloudflare_ranges.inc: policy/cloudflare/ranges.txt
	@mkdir -p $(@D)
	$(Q)sed -n '/^[0-9a-f]/s/.*/"&",/p' $< >$@
$(BUILD)/generated/cloudflare_ranges_day.inc: policy/cloudflare/ranges.txt
	@mkdir -p $(@D)
	$(Q)sed -n 's/^# As of \(.*\)/"\1"/p' $< >$@
$(BUILD)/exports.map: shim/hooks.def
	@mkdir -p $(@D)
	$(Q){ echo '{ global:'; sed -n 's/^\(HOOK\|LIBC\)(\([A-Za-z0-9_]*\)[,)].*/\t\2;/p' $<; echo 'local: *; };'; } >$@

# Objects are made anew when the flags change: the command knows where the library gets installed.
FLAGS := $(CC) $(VERSION) $(LIBDIR) $(PREFIX) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) $(FORTIFY) $(LDFLAGS)
$(BUILD)/flags: always
	@mkdir -p $(@D)
	@[[ -e $@ && "$$(<$@)" == '$(subst ','\'',$(FLAGS))' ]] || echo '$(subst ','\'',$(FLAGS))' >$@
.PHONY: always

# The preloaded object is built without _FORTIFY_SOURCE: glibc's _chk names stop programs linked to musl.
$(BUILD)/obj/%.o: %.c $(GENERATED) $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -U_FORTIFY_SOURCE $(CFLAGS_ALL) -c -o $@ $<
$(BUILD)/fobj/%.o: %.c $(GENERATED) $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_COMMAND) $(FORTIFY) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/libcfshim.so: $(call obj,$(SHIM_C) $(POLICY_C)) $(BUILD)/exports.map
	$(Q)$(CC) -shared -o $@ $(filter %.o,$^) $(LDFLAGS_ALL) -Wl,-z,defs,-z,nodelete -Wl,--no-undefined-version \
		-Wl,--exclude-libs,ALL -Wl,--version-script=$(BUILD)/exports.map -Wl,-soname,libcfshim.so \
		-Wl,--as-needed -ldl

$(BUILD)/cfshim: $(call fobj,$(CLI_C) $(SHARED_C))
	$(Q)$(CC) -o $@ $^ $(LDFLAGS_ALL) -pie -lssl -lcrypto

# Linked to no OpenSSL, on purpose.
$(BUILD)/tests/process/servers/late_server: $(call fobj,tests/process/servers/late_server.c)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(LDFLAGS_ALL) -ldl

# As Node.js of nodesource is, and as upstream links libssl, and then some.
# A static libcrypto may want these (Debian 13).
OPENSSL_NEEDS = -Wl,--as-needed $(foreach name,z zstd,$(if $(wildcard $(shell $(CC) -print-file-name=lib$(name).so)),-l$(name)))
LINK_WHOLE_OPENSSL = -Wl,--whole-archive -l:libssl.a -l:libcrypto.a -Wl,--no-whole-archive $(OPENSSL_NEEDS) -lpthread -ldl
$(BUILD)/tests/process/servers/whole_server: $(call fobj,tests/process/servers/small_server.c)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(LDFLAGS_ALL) -rdynamic $(LINK_WHOLE_OPENSSL) || rm -f $@
$(BUILD)/tests/process/servers/bound_openssl.so: $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -o $@ $(LDFLAGS_ALL) -Wl,-Bsymbolic $(LINK_WHOLE_OPENSSL) || rm -f $@
# An OpenSSL inside the program that nobody can hook.  Where there is no static one, or it wants further libraries, there is no
# such server, and its test is skipped.
$(STATIC_SERVER): $(call fobj,tests/process/servers/small_server.c)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(LDFLAGS_ALL) -Wl,-Bstatic -lssl -lcrypto -Wl,-Bdynamic $(OPENSSL_NEEDS) -ldl -lpthread || rm -f $@

# Two OpenSSLs in one process.  The libraries are copied: in the folder where they come from lies another libc.
$(BUILD)/tests/process/servers/two_versions: $(call fobj,$(addprefix tests/process/servers/,two_versions.c service.c))
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(LDFLAGS_ALL) -lssl -lcrypto -ldl
$(BUILD)/old-openssl/copied: $(OLD_OPENSSL)
	@rm -rf $(@D) && mkdir -p $(@D)/include $(@D)/lib
	$(Q)cp -RL $(filter %/openssl,$(OLD_OPENSSL)) $(@D)/include/
	$(Q)cp -L $(filter %.so.1.1,$(OLD_OPENSSL)) $(@D)/lib/
	@touch $@
$(BUILD)/tests/process/servers/old_service.so: tests/process/servers/service.c tests/process/servers/service.h \
		$(BUILD)/old-openssl/copied $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) -I$(BUILD)/old-openssl/include $(CPPFLAGS_COMMAND) $(FORTIFY) $(filter-out -MMD -MP,$(CFLAGS_ALL)) -shared \
		-o $@ $< $(LDFLAGS_ALL) -Wl,--disable-new-dtags,-rpath,'$$ORIGIN/../../../old-openssl/lib' \
		-L$(BUILD)/old-openssl/lib -l:libssl.so.1.1 -l:libcrypto.so.1.1

$(BUILD)/tests/%: $(BUILD)/fobj/tests/%.o $(call fobj,$(SUPPORT_C) $(SHARED_C) $(TESTED_C))
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(LDFLAGS_ALL) -lcmocka -lssl -lcrypto -lpthread -ldl -lrt

$(BUILD)/man/%: man/%.in man/tables.sh policy/keywords.def policy/reasons.def cli/verbs.def cli/verbs.awk
	@mkdir -p $(@D)
	$(Q)sh man/tables.sh $< >$@
$(BUILD)/completions/%: completions/%.in completions/tables.sh cli/verbs.def cli/verbs.awk
	@mkdir -p $(@D)
	$(Q)sh completions/tables.sh $< >$@

# Lint: each rule is a target, so that all that is wrong shows in one run.
SOURCES = $(wildcard $(addsuffix /*.[ch],policy shim shim/trust shim/wire cli tests/unit tests/process \
	tests/process/servers tests/servers/common tests/attacks tests/fuzz tests/support))
SCRIPTS = .ci/run $(shell grep -rlE '^#!/bin/(ba)?sh' --include='*.sh' tests examples man completions packaging) \
	$(BUILD)/completions/cfshim.bash
MANUALS = $(GENERATED_MANUALS) man/libcfshim.8
LINTS = lint-format lint-warnings lint-tidy lint-cppcheck lint-shell lint-spelling lint-manual lint-directions \
	lint-exports lint-imports
.PHONY: lint format $(LINTS)
lint: ## format, warnings of gcc and clang, static analysis, shell, spelling, manual, layers, exports, imports
	@$(MAKE) -k -O lint-all
lint-all: $(LINTS)
	@echo "lint: $(words $(LINTS)) of $(words $(LINTS)) passed"
lint-format:
	@clang-format --dry-run -Werror $(SOURCES)
lint-warnings:
	@$(MAKE) BUILD=$(BUILD)/clang CC=clang WERROR=-Werror programs
	@$(MAKE) BUILD=$(BUILD)/gcc CC=gcc WERROR=-Werror programs
lint-tidy: $(GENERATED)
	@printf '%s\n' $(filter %.c,$(SOURCES)) | xargs -P "$$(nproc)" -I {} clang-tidy --quiet {} -- -std=gnu11 \
		$(CPPFLAGS_COMMAND) 2>&1 | sed '/^[0-9]* warnings\{0,1\} generated\.$$/d'
lint-cppcheck: $(GENERATED)
	@cppcheck --quiet --enable=warning,style,performance,portability --inline-suppr --error-exitcode=1 \
		--suppressions-list=tests/lint/cppcheck.txt --std=c11 $(CPPFLAGS_COMMAND) '-DElfW(type)=Elf64_\#\#type' $(filter %.c,$(SOURCES))
lint-shell: $(COMPLETIONS)
	@shellcheck $(SCRIPTS)
lint-spelling:
	@git ls-files -co --exclude-standard | grep -vE '\.pem$$|^LICENSE$$' | xargs codespell --ignore-words=tests/lint/words.txt
lint-manual: $(MANUALS)
	@mandoc -Tlint -Wwarning $(MANUALS)
lint-directions:
	@tests/lint/directions.sh
lint-exports: $(BUILD)/libcfshim.so
	@tests/lint/exports.sh $<
lint-imports: $(BUILD)/libcfshim.so
	@tests/lint/imports.sh $<
format: ## clang-format over all C files
	@clang-format -i $(SOURCES)

.PHONY: install uninstall clean
MANDIR = $(DESTDIR)$(PREFIX)/share/man
DOCDIR = $(DESTDIR)$(PREFIX)/share/doc/cfshim
BASHDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
install: all ## into PREFIX (/usr/local), below DESTDIR
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PREFIX)/bin $(MANDIR)/man1 $(MANDIR)/man5 $(MANDIR)/man8 $(DOCDIR) $(BASHDIR) $(ZSHDIR)
	install -m 644 $(BUILD)/libcfshim.so $(DESTDIR)$(LIBDIR)/libcfshim.so
	install -m 755 $(BUILD)/cfshim $(DESTDIR)$(PREFIX)/bin/cfshim
	install -m 644 $(BUILD)/man/cfshim.1 $(MANDIR)/man1/
	install -m 644 $(BUILD)/man/cfshim-policy.5 $(MANDIR)/man5/
	install -m 644 man/libcfshim.8 $(MANDIR)/man8/
	install -m 644 $(BUILD)/completions/cfshim.bash $(BASHDIR)/cfshim
	install -m 644 $(BUILD)/completions/_cfshim $(ZSHDIR)/
	install -m 644 README.md CHANGELOG.md SECURITY.md LICENSE $(DOCDIR)/
	cp -R --no-preserve=ownership examples $(DOCDIR)/
	sed -i 's,/usr/lib/[^ ]*/libcfshim.so,$(LIBDIR)/libcfshim.so,; s,/usr/bin/cfshim,$(PREFIX)/bin/cfshim,' \
		$$(find $(DOCDIR)/examples/systemd -name cfshim.conf)
	@case $(LIBDIR)/ in /usr/lib/* | /usr/lib64/* | /lib/* | /lib64/*) ;; *) echo "install: warning: a program that AppArmor" \
		"confines may map no library from $(LIBDIR): its profile has to allow $(LIBDIR)/libcfshim.so mr," \
		"or PREFIX=/usr puts it where it may" >&2 ;; esac
uninstall: ## what install put there
	rm -f $(DESTDIR)$(LIBDIR)/libcfshim.so $(DESTDIR)$(PREFIX)/bin/cfshim $(BASHDIR)/cfshim $(ZSHDIR)/_cfshim
	rm -f $(MANDIR)/man1/cfshim.1 $(MANDIR)/man5/cfshim-policy.5 $(MANDIR)/man8/libcfshim.8
	rm -rf $(DOCDIR)

.PHONY: deb check-packages
deb: ## the Debian package, below build/deb (debhelper)
	@packaging/deb.sh $(VERSION) $(RELEASED) $(BUILD)/deb
check-packages: deb ## the package: installed, upgraded and removed under a server, and as a new user has it (root)
	@BUILD=$(BUILD) TEST_LIMIT=900 tests/run.sh tests/packages/deb.sh tests/packages/fresh.sh

clean: ## all that was built
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' -type f 2>/dev/null)
endif
