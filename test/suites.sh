# Suites of tests, and how they are run side by side; sourced by bash scripts,
# after lib.sh.
#
# A plan is a list of suites.  Lanes take them from it: the first lane from the
# front, the second from the end, and so on, each until nothing is left.  A lane
# has a cluster of its own, so that suites beside each other share neither
# databases nor roles nor settings.  The lines of a suite are shown when it is done.

LOGS=							# where the logs of suites go
PLAN=()							# suites: a name, which is that of a function suite_..., and its arguments
LANE_SETTINGS=('fsync = off' 'max_prepared_transactions = 20' 'log_min_messages = info')
# Signed overflow is looked for, though PostgreSQL's flags define it: nothing here relies on that.
UBSAN_FLAGS='-O1 -fno-wrapv -fno-omit-frame-pointer -fsanitize=undefined'
SUITE_LIMIT=${SUITE_LIMIT:-900}					# seconds after which a suite is ended
TAP_OK='^ok [0-9]'
TAP_NOT_OK='^not ok [0-9]'
# PostgreSQL 16 began to report in TAP.
PG_OK='^((test )?.* \.\.\. ok |ok [0-9]+ )'
PG_NOT_OK='^((test )?.* \.\.\. FAILED|not ok [0-9]+ )'
# Of a script: a last line "N passed, N failed" counts more than these.
SHOW='^not ok|^#'
PASS=$TAP_OK
FAIL=$TAP_NOT_OK

# open_suites NAME: the directory, its PostgreSQL, and what the suites need to know.
open_suites() {
	open_build "$1"
	LOGS=$BUILD/logs
	as_worker mkdir "$LOGS"
	: >"$LOGS/tally"
	private_postgres
	clang=$(sed -n 's/^CLANG *= *//p' "$(dirname "$("$PG_CONFIG" --pgxs)")/../Makefile.global")
	command -v "${clang:-clang}" >/dev/null || clang=clang
}

# Ends the lanes' clusters so that each process does what it does at its end.
stop_lanes_clusters() {
	local dir
	for dir in "$BUILD"/lane*/data; do
		as_worker "$PG_BIN/pg_ctl" -D "$dir" -m fast -w stop >>"$LOGS/stop.log" 2>&1 || true
	done
}

# wrap_server COMMAND...: runs servers by that command; not what initdb starts.
# Programs find their files by where they stand: the true one stays where it was.
wrap_server() {
	as_worker mv "$PG_BIN/postgres" "$PG_BIN/postgres.true"
	as_worker tee "$PG_BIN/postgres" >/dev/null <<-END
		#!/bin/bash
		case "\$1" in
			--* | -V) exec "$PG_BIN/postgres.true" "\$@" ;;
			*) exec $* "$PG_BIN/postgres.true" "\$@" ;;
		esac
	END
	as_worker chmod +x "$PG_BIN/postgres"
}

# plan SUITE...: adds to the plan; of SUITES alone, if that is set.
plan() {
	local suite wanted
	for suite in "$@"; do
		for wanted in ${SUITES:-"$suite"}; do
			[[ ${suite// /-} != "${wanted// /-}"* ]] || { PLAN+=("$suite"); break; }
		done
	done
}

plan_tap() {
	local file
	for file in "$TOP"/test/t/*.pl; do
		plan "tap $(basename "$file" .pl)"
	done
}

count() {
	grep -cE "$1" "$2" || true
}

# tally NAME PASSED FAILED STATUS: the outcome of a suite, with the status of its
# command.  A command that fails with no failed test is one itself.
tally() {
	local name=$1 passed=$2 failed=$3 status=$4
	if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		failed=1
	fi
	echo "$name $passed $failed" >>"$LOGS/tally"
	say "    $name: $passed passed, $failed failed (${SECONDS}s)"
}

# suite NAME ARGUMENT...: runs one, and counts what it says.
suite() {
	local name status=0 log passed failed show=$SHOW pass=$PASS fail=$FAIL
	name=$(IFS=-; echo "$*")
	name=${name:0:100}			# of many tests: a file has no room for more
	log=$LOGS/$name.log
	case $1 in
		regress-ubsan) pass=$PG_OK fail="$PG_NOT_OK|$TAP_NOT_OK" ;;
		fuzz) show='^not ok|^ok' pass='^ok' fail='^not ok' ;;
		states) show='^not ok|^ok|^#' ;;
		regress | isolation) show="$PG_OK|$PG_NOT_OK" pass=$PG_OK fail=$PG_NOT_OK ;;
		oracle-changes) show='^not ok|^#|^seed' ;;
		oracle-clickhouse | examples) show='^not ok|^#|# skip' ;;
		# A script that dies between its tests is a failed test itself.
		tap) show='^not ok|^# +(Failed|Looks)' fail="$TAP_NOT_OK|^All [0-9]+ subtests passed|^No subtests run" ;;
	esac
	SECONDS=0
	ATTEND_LIMIT=$SUITE_LIMIT attend "suite_${1//-/_}" "${@:2}" >"$log" 2>&1 || status=$?
	if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
	else
		passed=$(count "$pass" "$log") failed=$(count "$fail" "$log")
	fi
	say "$name"
	grep -E "$show" "$log" || true
	[ "$SECONDS" -lt "$SUITE_LIMIT" ] || say "    $name took too long and was ended"
	tally "$name" "$passed" "$failed" "$status"
	if [ "$status" -ne 0 ] && [ "$1" != checks ]; then
		suite_evidence "$name"
	fi
}

# What a failed suite left to read.
suite_evidence() {
	local file
	case $1 in
		regress) file=$BUILD/src/regression.diffs ;;
		isolation) file=$BUILD/src/output_iso/regression.diffs ;;
		regress-ubsan) file=$BUILD/ubsan/src/regression.diffs ;;
	esac
	[ -s "${file:-}" ] || file=$LOGS/$1.log
	say "---- ${file#"$BUILD"/}"
	grep -v '^ok ' "$file" | tail -n 300
	say "----"
}

# What UndefinedBehaviorSanitizer said in any log.
ubsan_found() {
	find "$BUILD" -name '*.log' -print0 |
		xargs -0 grep -ahoE '[^ ]+: runtime error: .*' | sort | uniq -c | sort -rn || true
}

# The same as a suite of its own.
ubsan_findings() {
	local found
	SECONDS=0
	found=$(ubsan_found)
	if [ -n "$found" ]; then
		say "$found"
		tally findings 0 "$(wc -l <<<"$found")" 1
	else
		tally findings 1 0 0
	fi
}

# take front|end: removes that line from the plan and prints it; false if none is left.
take() {
	(
		flock 9
		case $1 in
			front) place=1 ;;
			end) place='$' ;;
		esac
		line=$(sed -n "${place}p" "$LOGS/plan")
		[ -n "$line" ] || exit 1
		sed -i "${place}d" "$LOGS/plan"
		echo "$line"
	) 9>>"$LOGS/lock"
}

# lane NUMBER FROM SETTING...: a cluster, and the suites that are run against it.
lane() {
	local number=$1 from=$2 words output
	trap 'set +e; end_attended; stop_watchdog; exit 143' TERM
	trap '' INT
	CLUSTER=$BUILD/lane$number
	as_worker mkdir "$CLUSTER"
	cd "$BUILD/src"
	start_cluster postgres "${@:3}"
	while words=$(take "$from"); do
		output=$LOGS/lane$number.out
		# shellcheck disable=SC2086
		suite $words >"$output" 2>&1
		flock "$LOGS/lock" cat "$output"
		rm "$output"
	done
}

# run_plan LANES SETTING...: runs the suites of PLAN in so many lanes.
run_plan() {
	local number pid
	printf '%s\n' "${PLAN[@]}" >"$LOGS/plan"
	for ((number = 1; number <= $1; number++)); do
		lane "$number" "$([ $((number % 2)) -eq 1 ] && echo front || echo end)" "${@:2}" &
		LANES+=($!)
	done
	for pid in "${LANES[@]}"; do
		wait "$pid" || echo "lane 0 1" >>"$LOGS/tally"
	done
	LANES=()
}

# As many as there are processors, up to four; LANES_MAX: fewer.
lanes() {
	local number
	number=$(nproc)
	[ "$number" -le "${LANES_MAX:-4}" ] || number=${LANES_MAX:-4}
	echo "$number"
}

# finish_suites: the last lines; false if anything failed, or nothing passed.
finish_suites() {
	local name passed failed all_passed=0 all_failed=0 names=()
	while read -r name passed failed; do
		all_passed=$((all_passed + passed))
		all_failed=$((all_failed + failed))
		[ "$failed" -eq 0 ] || names+=("$name")
	done <"$LOGS/tally"
	say ""
	if [ "$all_failed" -ne 0 ] || [ "$all_passed" -eq 0 ]; then
		[ "$all_failed" -eq 0 ] || say "Failed: ${names[*]}"
		keep_logs
	fi
	say "$all_passed passed, $all_failed failed"
	[ "$all_failed" -eq 0 ] && [ "$all_passed" -gt 0 ]
}

# Logs outlive the directory if a test failed.
keep_logs() {
	local kept path
	kept=$(mktemp -d "${BUILD%/*}/segment-test-logs.XXXXXX")
	cp -R "$LOGS/." "$kept/"
	for path in states/failed lane1/server.log lane2/server.log lane3/server.log lane4/server.log \
		src/results src/regression.diffs src/output_iso tap; do
		[ ! -e "$BUILD/$path" ] || (cd "$BUILD" && find "$path" ! -path '*/pgdata*' -type f -print0 |
			xargs -0r cp --parents -t "$kept/")
	done
	say "Logs and differences are kept in $kept"
}

# The suites themselves.

script() {
	as_worker env PATH="$PG_BIN:$PATH" "$@"
}

installcheck() {
	build --silent installcheck "$@"
}

suite_checks() {
	as_worker bash "$BUILD/src/test/checks.sh" "$PG_BIN/psql"
}

suite_lint() {
	as_worker env PG_CONFIG="$PG_CONFIG" bash "$BUILD/src/test/lint/run.sh" quick
}

suite_fuzz() {
	as_worker env CC=gcc PG_CONFIG="$PG_CONFIG" CLANG="$clang" bash "$BUILD/src/test/fuzz/run.sh"
}

suite_states() {
	as_worker env PG_CONFIG="$PG_CONFIG" CLANG="$clang" bash "$BUILD/src/test/fuzz/state/run.sh" 20 "$BUILD/states"
}

# suite_regress [TEST...]: all, or these
suite_regress() {
	installcheck ISOLATION= TAP_TESTS= ${1:+REGRESS="$*"}
}

# The same against a build with UndefinedBehaviorSanitizer, which has a cluster
# and a copy of the installed PostgreSQL of its own.
suite_regress_ubsan() {
	local BUILD=$BUILD/ubsan CLUSTER=$BUILD/ubsan PG_BIN=$BUILD/ubsan${PG_BIN#"$BUILD"}
	local PG_CONFIG=$PG_BIN/pg_config status=0 found
	as_worker mkdir "$BUILD" "$BUILD/home"
	as_worker cp -Rl "${BUILD%/ubsan}/usr" "$BUILD/"
	as_worker cp -R "${BUILD%/ubsan}/src" "$BUILD/"
	build -s clean
	build -s CC=gcc COPT="$UBSAN_FLAGS -g1" install test/expected
	start_cluster postgres "${LANE_SETTINGS[@]}"
	installcheck ISOLATION= TAP_TESTS= || status=$?
	as_worker "$PG_BIN/pg_ctl" -D "$CLUSTER/data" -m fast -w stop
	found=$(ubsan_found)
	[ -z "$found" ] || { sed 's/^/not ok - /' <<<"$found"; status=1; }
	return "$status"
}

suite_isolation() {
	installcheck REGRESS= TAP_TESTS=
}

suite_oracle_tables() {
	script sh test/oracle/run.sh
}

suite_oracle_changes() {
	script sh test/oracle/changes/run.sh
}

suite_oracle_aggregates() {
	script sh test/oracle/aggregate/run.sh
}

suite_oracle_time() {
	script sh test/oracle/time/run.sh
}

suite_oracle_cron() {
	script sh test/oracle/cron/run.sh
}

suite_oracle_clickhouse() {
	script sh test/oracle/clickhouse/run.sh
}

suite_docs() {
	script bash test/docs.sh
}

suite_dashboard() {
	script bash test/dashboard.sh
}

suite_examples() {
	script bash test/examples.sh
}

# suite_tap NAME: what needs workers, crashes or restarts starts clusters of its
# own.  The variables are those of PGXS, of PostgreSQL 15 and of later ones.
suite_tap() {
	local dir=$BUILD/tap/$1 pgxs
	pgxs=$(dirname "$("$PG_CONFIG" --pgxs)")/../..
	as_worker mkdir -p "$dir/tmp_check/log" "$BUILD/tap/ports"
	as_worker env -u PGHOST -u PGUSER -u PGDATABASE PATH="$PG_BIN:$PATH" PGPORT=65432 \
		PG_TEST_PORT_DIR="$BUILD/tap/ports" PG_REGRESS="$pgxs/src/test/regress/pg_regress" \
		TESTDIR="$dir" TESTDATADIR="$dir/tmp_check" TESTLOGDIR="$dir/tmp_check/log" \
		prove -v --timer -I test/t -I "$pgxs/src/test/perl" "test/t/$1.pl"
}
