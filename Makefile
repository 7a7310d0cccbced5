# segment: behavioral customer segmentation inside PostgreSQL
#
#   make, make install, make installcheck   the PGXS way, for whoever has a server
#   make demo                               the main job on real data, in a cluster of its own
#   make test                               every test but the long ones, in clusters of its own
#   make soak                               the long soak, likewise
#   make mutation                           puts mistakes in, and says which test notices
#   make sanitize, valgrind, coverage       tests against a build or a server that looks closer, likewise
#   make fuzz, lint                         what needs no server: libFuzzer; cppcheck and clang-tidy

EXTENSION = segment
MODULE_big = segment
# The version stands in segment.control alone.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" segment.control)

OBJS = \
	src/segment.o \
	src/guc.o \
	src/context.o \
	src/lock.o \
	src/notify.o \
	src/attempt.o \
	src/model/decay.o \
	src/model/crossing.o \
	src/model/funnel.o \
	src/model/sequence_compile.o \
	src/model/sequence_search.o \
	src/model/exact_sum.o \
	src/model/interval.o \
	src/aggregate/support.o \
	src/aggregate/kinds.o \
	src/aggregate/conditions.o \
	src/aggregate/events.o \
	src/aggregate/instants.o \
	src/aggregate/ranges.o \
	src/aggregate/zone.o \
	src/aggregate/engagement.o \
	src/aggregate/sessions.o \
	src/aggregate/funnel.o \
	src/aggregate/pattern.o \
	src/aggregate/sequence.o \
	src/aggregate/retention.o \
	src/aggregate/streak.o \
	src/aggregate/repeat_purchase.o \
	src/aggregate/occasion.o \
	src/aggregate/rhythm.o \
	src/aggregate/journey.o \
	src/aggregate/value.o \
	src/aggregate/extreme.o \
	src/aggregate/items.o \
	src/aggregate/sums.o \
	src/aggregate/affinity.o \
	src/aggregate/unconverted.o \
	src/aggregate/trend.o \
	src/aggregate/concentration.o \
	src/catalog/load.o \
	src/catalog/store.o \
	src/catalog/cuts.o \
	src/catalog/parts.o \
	src/catalog/suppressed.o \
	src/catalog/merged.o \
	src/catalog/names.o \
	src/catalog/trust.o \
	src/catalog/presets.o \
	src/catalog/event_names.o \
	src/rule/parse.o \
	src/rule/rename.o \
	src/rule/label.o \
	src/rule/band.o \
	src/rule/pitfalls.o \
	src/rule/moving.o \
	src/rule/harmless.o \
	src/rule/time.o \
	src/rule/trust.o \
	src/rule/branches.o \
	src/rule/unknown.o \
	src/rule/comparison.o \
	src/rule/chain.o \
	src/rule/chain_functions.o \
	src/rule/search.o \
	src/rule/own.o \
	src/rule/decay.o \
	src/rule/decaying.o \
	src/rule/decay_steps.o \
	src/rule/stream.o \
	src/rule/merged.o \
	src/rule/base.o \
	src/rule/compile.o \
	src/rule/simplify.o \
	src/rule/crossing.o \
	src/rule/steps.o \
	src/rule/local.o \
	src/capture/trigger.o \
	src/capture/key.o \
	src/capture/keyset.o \
	src/capture/read.o \
	src/capture/row.o \
	src/capture/parts.o \
	src/capture/marklog.o \
	src/capture/places.o \
	src/capture/install.o \
	src/capture/remove.o \
	src/capture/wake.o \
	src/define/tables.o \
	src/define/sources.o \
	src/define/stream.o \
	src/define/columns.o \
	src/define/notice.o \
	src/define/groups.o \
	src/define/history.o \
	src/define/changes.o \
	src/define/bands.o \
	src/define/alter.o \
	src/define/order.o \
	src/define/document.o \
	src/define/plan.o \
	src/define/apply.o \
	src/define/apply_sources.o \
	src/define/apply_settings.o \
	src/define/definition.o \
	src/define/events.o \
	src/preset/template.o \
	src/preset/load.o \
	src/preset/options.o \
	src/preset/values.o \
	src/preset/plan.o \
	src/preset/events.o \
	src/preset/install.o \
	src/refresh/collect.o \
	src/refresh/backlog.o \
	src/refresh/claim.o \
	src/refresh/evaluate.o \
	src/refresh/apply.o \
	src/refresh/history.o \
	src/refresh/cuts.o \
	src/refresh/recut.o \
	src/refresh/newcolumns.o \
	src/refresh/state.o \
	src/refresh/shape.o \
	src/refresh/due.o \
	src/refresh/guard.o \
	src/refresh/setaside.o \
	src/refresh/process.o \
	src/refresh/keys.o \
	src/refresh/merge.o \
	src/refresh/refresh.o \
	src/refresh/runs.o \
	src/refresh/changes.o \
	src/refresh/verify.o \
	src/refresh/differs.o \
	src/refresh/current.o \
	src/refresh/erase.o \
	src/refresh/traces.o \
	src/look/look.o \
	src/look/asof.o \
	src/look/readable.o \
	src/look/tidy.o \
	src/look/counts.o \
	src/look/parts.o \
	src/look/explain.o \
	src/look/population.o \
	src/look/past.o \
	src/look/changes.o \
	src/look/health.o \
	src/look/health_state.o \
	src/look/health_presets.o \
	src/look/health_sources.o \
	src/look/preview.o \
	src/look/together.o \
	src/look/arm.o \
	src/look/interval.o \
	src/look/outcome.o \
	src/worker/launcher.o \
	src/worker/scheduler.o \
	src/worker/job.o \
	src/worker/jobs.o \
	src/worker/slots.o \
	src/worker/state.o \
	src/worker/database.o \
	src/worker/schedule.o \
	src/worker/cron.o \
	src/worker/cron_parse.o \
	src/worker/clock.o

# The install script is these parts in this order, one for each room.
SQL_PARTS = \
	sql/context.sql \
	sql/aggregate.sql \
	sql/aggregate/engagement.sql \
	sql/aggregate/sessions.sql \
	sql/aggregate/funnel.sql \
	sql/aggregate/sequence.sql \
	sql/aggregate/retention.sql \
	sql/aggregate/streak.sql \
	sql/aggregate/repeat_purchase.sql \
	sql/aggregate/occasion.sql \
	sql/aggregate/rhythm.sql \
	sql/aggregate/journey.sql \
	sql/aggregate/extreme.sql \
	sql/aggregate/affinity.sql \
	sql/aggregate/unconverted.sql \
	sql/aggregate/trend.sql \
	sql/aggregate/concentration.sql \
	sql/catalog.sql \
	sql/rule.sql \
	sql/capture.sql \
	sql/define.sql \
	sql/preset.sql \
	sql/preset/common.sql \
	sql/preset/rfm.sql \
	sql/preset/starter.sql \
	sql/preset/b2b.sql \
	sql/preset/candidates.sql \
	sql/preset/purchase_behavior.sql \
	sql/preset/loyalty.sql \
	sql/preset/user_status.sql \
	sql/preset/lifetime_value.sql \
	sql/preset/churn_risk.sql \
	sql/preset/cart_intent.sql \
	sql/preset/journey.sql \
	sql/preset/interest.sql \
	sql/preset/benefits_sought.sql \
	sql/preset/occasion.sql \
	sql/preset/usage.sql \
	sql/preset/streaming.sql \
	sql/preset/engagement.sql \
	sql/refresh.sql \
	sql/look.sql \
	sql/worker.sql \
	sql/changes.sql \
	sql/health.sql

INSTALL_SQL = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(INSTALL_SQL)
DATA = $(wildcard sql/upgrades/*.sql)
EXTRA_CLEAN = sql/$(EXTENSION)--*.sql test/expected

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare $(if $(WERROR),-Werror)

# Where PostgreSQL was built with gcc, its flags and headers hold what clang does not know.
PG_CFLAGS += $(if $(findstring clang,$(CC)),-Wno-ignored-optimization-argument -Wno-unknown-warning-option -Wno-ignored-attributes -fno-lto)
SHLIB_LINK += $(if $(findstring clang,$(CC)),-fno-lto)

# Tests in the order of the rooms, those of no room last.
ROOMS := context model $(filter-out context,$(basename $(notdir $(filter-out sql/aggregate/% sql/preset/%,$(SQL_PARTS)))))
TESTS := $(sort $(basename $(notdir $(wildcard test/sql/*.sql))))
TESTS_OF_ROOMS := $(foreach room,$(ROOMS),$(filter $(room) $(room)_%,$(TESTS)))
REGRESS := $(strip $(TESTS_OF_ROOMS) $(filter-out $(TESTS_OF_ROOMS),$(TESTS)))
REGRESS_OPTS = --inputdir=test --load-extension=segment
REGRESS_PREP = test/expected
ISOLATION := $(sort $(basename $(notdir $(wildcard test/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test --load-extension=segment
TAP_TESTS := $(if $(wildcard test/t/*.pl),1)
PROVE_TESTS = test/t/*.pl

# These bring a PostgreSQL of their own.
STANDALONE = demo test soak mutation dist bench sanitize valgrind coverage fuzz lint

ifneq (,$(filter-out $(STANDALONE),$(or $(MAKECMDGOALS),all)))

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(INSTALL_SQL): $(SQL_PARTS) segment.control
	cat $(addprefix $(srcdir)/,$(SQL_PARTS)) > $@

# Both test drivers look for their expected output beside their input.
test/expected:
	ln -s ../expected $@

endif

.PHONY: $(STANDALONE)

# KEEP=1 leaves the cluster running, and says how to connect and how to stop it.
demo:
	@KEEP='$(KEEP)' bash docs/examples/cdnow/demo.sh

# PG_MAJOR=16 chooses among several installed versions.
test:
	@bash test/run.sh

# Rules by the hundred thousand, a worker beside the clock, and crashes; how long, test/soak/run.sh says.
soak:
	@bash test/soak/run.sh

# MUTATIONS="name ..." for some of them; a quarter of an hour for all.
mutation:
	@MUTATIONS='$(MUTATIONS)' bash test/mutation/run.sh

# The suites against a build with UndefinedBehaviorSanitizer.
sanitize:
	@bash test/sanitize.sh

# The regression tests with the server under memcheck: an hour or so.
valgrind:
	@bash test/valgrind.sh

# Which lines of C the suites execute; fails below 90 %.
coverage:
	@bash test/coverage.sh

# libFuzzer under sanitizers, FUZZ_SECONDS=60 for each target.
fuzz:
	@bash test/fuzz/all.sh

# cppcheck and clang-tidy: no finding.
lint:
	@bash test/lint/all.sh

# The archive for PGXN, with the version of segment.control in its META.json.
dist:
	mkdir -p build
	sed 's/@VERSION@/$(EXTVERSION)/g' META.json > build/META.json
	git archive --format=zip --prefix=segment-$(EXTVERSION)/ --add-file=build/META.json \
		--output=build/segment-$(EXTVERSION).zip HEAD -- . ':!META.json'

# The figures of docs/performance.md, in a cluster of their own; sizes as test/bench/run.sh says.
bench:
	@bash test/bench/run.sh
