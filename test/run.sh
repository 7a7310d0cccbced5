#!/bin/bash
# Every test but the long soak: builds with gcc and clang, checks the source
# tree, then runs pg_regress, isolation, oracle and TAP tests against a
# PostgreSQL of its own.  The last line is "N passed, N failed".
#
#   PG_MAJOR=16   the PostgreSQL to use, where several are installed

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PASSED=0
FAILED=0
FAILED_NAMES=()

# Adds the outcome of a suite: how many passed and failed, and whether its
# command succeeded.  A command that fails with no failed test is one itself.
tally() {
	local name=$1 passed=$2 failed=$3 status=$4
	if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		failed=1
	fi
	PASSED=$((PASSED + passed))
	FAILED=$((FAILED + failed))
	if [ "$failed" -ne 0 ]; then
		FAILED_NAMES+=("$name")
	fi
	say "    $name: $passed passed, $failed failed (${SECONDS}s)"
}

count() {
	grep -cE "$1" "$2" || true
}

# suite NAME SHOW PASS FAIL COMMAND...: runs a command, shows the lines of its
# output that match SHOW, and counts those that match PASS and FAIL, unless its
# last line says "N passed, N failed".
suite() {
	local name=$1 show=$2 pass=$3 fail=$4 status=0 log=$LOGS/$1.log passed failed
	shift 4
	say "$name"
	SECONDS=0
	ATTEND_LIMIT=900 attend suite_run "$log" "$show" "$@" || status=$?
	[ "$SECONDS" -lt 900 ] || say "    $name took too long and was ended"
	if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
	else
		passed=$(count "$pass" "$log") failed=$(count "$fail" "$log")
	fi
	tally "$name" "$passed" "$failed" "$status"
	if [ "$status" -ne 0 ] && [ "$name" != checks ]; then
		suite_evidence "$name"
	fi
}

suite_run() {
	local log=$1 show=$2
	shift 2
	"$@" 2>&1 | tee "$log" | { grep --line-buffered -E "$show" || true; }
}

# What a failed suite left to read.
suite_evidence() {
	local file files=("$LOGS/$1.log")
	case $1 in
		regress) files=("$BUILD/src/regression.diffs") ;;
		isolation) files=("$BUILD/src/output_iso/regression.diffs") ;;
	esac
	for file in "${files[@]}"; do
		[ -s "$file" ] || file=$LOGS/$1.log
		say "---- ${file#"$BUILD"/}"
		grep -v '^ok ' "$file" | tail -n 300
		say "----"
	done
}

compile() {
	local name=$1 status=0
	shift
	say "build-$name: $*"
	SECONDS=0
	attend build -s -j2 WERROR=1 "$@" all >"$LOGS/build-$name.log" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		tally "build-$name" 1 0 0
	else
		tally "build-$name" 0 1 1
		tail -n 100 "$LOGS/build-$name.log"
	fi
	return "$status"
}

# Arithmetic without a server: name_test.c tries name.c and name_*.c of src/model/ or src/worker/.
fuzz() {
	local test name
	cd "$BUILD/src"
	for test in test/fuzz/*_test.c; do
		[ -e "$test" ] || continue
		name=$(basename "$test" _test.c)
		as_worker gcc -O2 -Isrc -I"$("$PG_CONFIG" --includedir-server)" -o "$TMPDIR/$name" \
			"$test" $(ls src/model/"$name"*.c src/worker/"$name"*.c 2>/dev/null) -lm &&
			as_worker "$TMPDIR/$name" || echo "not ok: $name"
	done
}

# Every suite, against a cluster that does not preload the library; what needs
# that (workers, crashes) starts clusters of its own in TAP tests.
run_suites() {
	local tap_ok='^ok [0-9]' tap_not_ok='^not ok [0-9]'
	# PostgreSQL 16 began to report in TAP.
	local pg_ok='^((test )?.* \.\.\. ok |ok [0-9]+ )' pg_not_ok='^((test )?.* \.\.\. FAILED|not ok [0-9]+ )'
	local make=(make -C "$BUILD/src" --no-print-directory PG_CONFIG="$PG_CONFIG" with_llvm=no)

	start_cluster postgres 'fsync = off' 'max_prepared_transactions = 20' 'log_min_messages = info'

	suite checks '^not ok|^#' "$tap_ok" "$tap_not_ok" \
		as_worker bash "$BUILD/src/test/checks.sh" "$PG_BIN/psql"

	suite fuzz '^not ok|^ok' '^ok' '^not ok' fuzz

	suite states '^not ok|^ok|^#' "$tap_ok" "$tap_not_ok" \
		as_worker env PG_CONFIG="$PG_CONFIG" CLANG="$clang" bash "$BUILD/src/test/fuzz/state/run.sh" 20 "$BUILD/states"

	cd "$BUILD/src"
	suite regress "$pg_ok|$pg_not_ok" "$pg_ok" "$pg_not_ok" \
		as_worker "${make[@]}" installcheck ISOLATION= TAP_TESTS=
	suite isolation "$pg_ok|$pg_not_ok" "$pg_ok" "$pg_not_ok" \
		as_worker "${make[@]}" installcheck REGRESS= TAP_TESTS=
	if [ -e test/oracle/run.sh ]; then
		suite oracle-tables '^not ok|^#' "$tap_ok" "$tap_not_ok" \
			as_worker env PATH="$PG_BIN:$PATH" sh test/oracle/run.sh
	fi
	suite oracle-changes '^not ok|^#|^seed' "$tap_ok" "$tap_not_ok" \
		as_worker env PATH="$PG_BIN:$PATH" sh test/oracle/changes/run.sh
	suite docs '^not ok|^#' "$tap_ok" "$tap_not_ok" \
		as_worker env PATH="$PG_BIN:$PATH" bash test/docs.sh
	suite oracle-aggregates '^not ok|^#' "$tap_ok" "$tap_not_ok" \
		as_worker env PATH="$PG_BIN:$PATH" sh test/oracle/aggregate/run.sh
	suite oracle-time '^not ok|^#' "$tap_ok" "$tap_not_ok" \
		as_worker env PATH="$PG_BIN:$PATH" sh test/oracle/time/run.sh
	suite oracle-cron '^not ok|^#' "$tap_ok" "$tap_not_ok" \
		as_worker env PATH="$PG_BIN:$PATH" sh test/oracle/cron/run.sh
	suite oracle-clickhouse '^not ok|^#|# skip' "$tap_ok" "$tap_not_ok" \
		as_worker env PATH="$PG_BIN:$PATH" sh test/oracle/clickhouse/run.sh
	if [ -e "${pgtap[0]}" ]; then
		suite pgtap '^not ok|^#' "$tap_ok" "$tap_not_ok" \
			as_worker bash -c 'for file in test/pgtap/*.sql; do "$0/psql" -XAtq -v ON_ERROR_STOP=1 -f "$file" || exit 1; done' "$PG_BIN"
	fi
	# A script that dies between its tests is a failed test itself.
	suite tap 'test/t/.*\.pl \.\.|^not ok|^# +(Failed|Looks)|^Result' \
		"$tap_ok" "$tap_not_ok|^All [0-9]+ subtests passed|^No subtests run" \
		as_worker env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE \
		"${make[@]}" installcheck REGRESS= ISOLATION= PROVE_FLAGS='-v --timer'
}

# Logs outlive the directory if a test failed.
keep_logs() {
	local kept
	kept=$(mktemp -d "${BUILD%/*}/segment-test-logs.XXXXXX")
	cp -R "$LOGS/." "$kept/"
	for path in states/failed server.log src/results src/regression.diffs src/output_iso src/tmp_check/log; do
		[ ! -e "$BUILD/$path" ] || cp -R "$BUILD/$path" "$kept/"
	done
	say "Logs and differences are kept in $kept"
}

clean_environment
packages=(gcc libc6-dev make perl libipc-run-perl postgresql-MAJOR postgresql-server-dev-MAJOR)
pgtap=("$TOP"/test/pgtap/*.sql)
[ ! -e "${pgtap[0]}" ] || packages+=(postgresql-MAJOR-pgtap)
need_packages "${packages[@]}"
open_build test
LOGS=$BUILD/logs
as_worker mkdir "$LOGS"
private_postgres
say "Testing segment against $("$PG_CONFIG" --version), in $BUILD"

# clang is there wherever the server headers are: they depend on it.
clang=$(sed -n 's/^CLANG *= *//p' "$(dirname "$("$PG_CONFIG" --pgxs)")/../Makefile.global")
command -v "${clang:-clang}" >/dev/null || clang=clang
if command -v "$clang" >/dev/null; then
	compile clang CC="$clang" || true
	build -s clean >/dev/null
	clang_major=$("$clang" -dumpversion)
	want_package "libclang-rt-${clang_major%%.*}-dev" || true
else
	say "build-clang: skipped, no clang here"
fi
if compile gcc CC=gcc; then
	attend build -s install >"$LOGS/install.log" 2>&1 || { cat "$LOGS/install.log" >&2; die "make install failed"; }
	run_suites
fi

say ""
if [ "$FAILED" -ne 0 ] || [ "$PASSED" -eq 0 ]; then
	[ "$FAILED" -eq 0 ] || say "Failed: ${FAILED_NAMES[*]}"
	keep_logs
fi
say "$PASSED passed, $FAILED failed"
[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
