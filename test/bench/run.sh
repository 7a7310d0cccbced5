#!/bin/bash
# Measures what segment costs and saves beside plain SQL, against a PostgreSQL
# of its own, and prints the tables of docs/performance.md.
#
#   BENCH_PARTS="capture commit refresh rebuild due rotation load scores cohorts presets"
#   BENCH_ROWS=1000000        rows of one COPY
#   BENCH_SECONDS=4           of one run of pgbench
#   BENCH_CUSTOMERS=500000    customers, events, and dirty customers
#   BENCH_EVENTS=10000000
#   BENCH_DIRTY=1000
#   BENCH_DUE_CUSTOMERS=1000000   customers who are due at one midnight,
#   BENCH_DUE_EVENTS=5            and the events of each
#   BENCH_ROTATION_ROUNDS=3600    refreshes of 1,000 events each while a transaction is open
#   BENCH_ROTATION_WAITING=300000 customers who wait all the while in another table
#   BENCH_LOAD_CUSTOMERS=1000000  customers, and events of each, when events come
#   BENCH_LOAD_EVENTS=5           all the time,
#   BENCH_LOAD_RATE=2000          so many a second,
#   BENCH_LOAD_SECONDS=600        so long
#   BENCH_STREAM=10000000     events that the C aggregates are measured on,
#   BENCH_STREAM_CUSTOMERS=500000   and their customers
#   BENCH_RUNS=9              runs of what is short, and of what takes seconds;
#   BENCH_LONG_RUNS=3         medians are shown, with the least and the greatest
#   BENCH_PLAIN_RUNS=3        runs of the aggregates' plain SQL, at most BENCH_LONG_RUNS
#   PG_MAJOR=16               the PostgreSQL to use, where several are installed
#
# The two ways that are compared take turns, so that both meet the same noise.

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

PARTS=${BENCH_PARTS:-capture commit refresh rebuild due rotation load scores cohorts presets}
ROWS=${BENCH_ROWS:-1000000}
PGBENCH_SECONDS=${BENCH_SECONDS:-4}
CUSTOMERS=${BENCH_CUSTOMERS:-500000}
EVENTS=${BENCH_EVENTS:-10000000}
DIRTY=${BENCH_DIRTY:-1000}
DUE_CUSTOMERS=${BENCH_DUE_CUSTOMERS:-1000000}
DUE_EVENTS=${BENCH_DUE_EVENTS:-5}
ROTATION_ROUNDS=${BENCH_ROTATION_ROUNDS:-3600}
ROTATION_WAITING=${BENCH_ROTATION_WAITING:-300000}
LOAD_CUSTOMERS=${BENCH_LOAD_CUSTOMERS:-1000000}
LOAD_EVENTS=${BENCH_LOAD_EVENTS:-5}
LOAD_RATE=${BENCH_LOAD_RATE:-2000}
LOAD_SECONDS=${BENCH_LOAD_SECONDS:-600}
STREAM=${BENCH_STREAM:-10000000}
STREAM_CUSTOMERS=${BENCH_STREAM_CUSTOMERS:-500000}
RUNS=${BENCH_RUNS:-9}
LONG_RUNS=${BENCH_LONG_RUNS:-3}
PLAIN_RUNS=${BENCH_PLAIN_RUNS:-3}

SETTINGS=(
	'shared_preload_libraries = segment'
	'fsync = on'
	'shared_buffers = 2GB'
	'work_mem = 64MB'
	'maintenance_work_mem = 512MB'
	'max_wal_size = 16GB'
	'checkpoint_timeout = 1h'
)

sql() {
	as_worker "$PG_BIN/psql" -Xq -v ON_ERROR_STOP=1 "$@"
}

value() {
	sql -At -c "$1"
}

# Runs the SQL on standard input; keeps the time of each statement before
# which it says "\echo @NAME".
measure() {
	sql -c '\timing on' -f - "$@" >"$BUILD/measured"
	awk '$1 ~ /^@/ { name = substr($1, 2) }
		$1 == "Time:" && name != "" { print name, $2; name = "" }' "$BUILD/measured" >>"$BUILD/figures"
}

median() {
	sort -g | awk '{ v[NR] = $1 } END { if (NR == 0) exit 1
		print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# "median least greatest" of the figures whose name matches.
summary() {
	local figures
	figures=$(awk -v name="^($1)\$" '$1 ~ name { print $2 }' "$BUILD/figures" | sort -g)
	[ -n "$figures" ] || die "nothing was measured of $1"
	echo "$(median <<<"$figures") $(head -n 1 <<<"$figures") $(tail -n 1 <<<"$figures")"
}

# show UNIT MEDIAN LEAST GREATEST
show() {
	case $1 in
		ms) awk -v m="$2" -v l="$3" -v g="$4" 'function f(x) { return x >= 2000 ? sprintf("%.1f s", x / 1000) : sprintf(x < 100 ? "%.1f ms" : "%.0f ms", x) }
			BEGIN { printf "%s (%s to %s)", f(m), f(l), f(g) }' ;;
		tps) printf '%.0f/s (%.0f to %.0f)' "$2" "$3" "$4" ;;
	esac
}

header() {
	printf '\n### %s\n\n| | %s | %s | %s | goal |\n|---|---|---|---|---|\n' "$@"
}

# The ratio of two ways: the median of the ratios of what was measured side by
# side, or where one was measured more often, the ratio of the medians.
ratio() {
	local upper lower
	upper=$(awk -v name="$1" '$1 == name { print $2 }' "$BUILD/figures")
	lower=$(awk -v name="$2" '$1 == name { print $2 }' "$BUILD/figures")
	if [ "$(wc -l <<<"$upper")" -eq "$(wc -l <<<"$lower")" ]; then
		paste <(echo "$upper") <(echo "$lower") | awk '{ print $1 / $2 }' | median
	else
		echo "$(median <<<"$upper") $(median <<<"$lower")" | awk '{ print $1 / $2 }'
	fi
}

# row TEXT UNIT A B DIVIDEND DIVISOR GOAL: the figures A and B, and a ratio of two.
row() {
	printf '| %s | %s | %s | %s | %s |\n' "$1" "$(show "$2" $(summary "$3"))" "$(show "$2" $(summary "$4"))" \
		"$(ratio "$5" "$6" | awk '{ printf($1 >= 20 ? "%.0f ×" : "%.2f ×", $1) }')" "$7"
}

grouped() {
	printf '%s' "$1" | sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta'
}

facts() {
	local s
	say ""
	say "$("$PG_CONFIG" --version)," \
		"$(nproc) cores ($(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1))," \
		"$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo) of memory."
	printf 'Settings:'
	for s in "${SETTINGS[@]}"; do
		printf ' `%s`' "$s"
	done
	printf '; all others as they come.\n'
	say "Load average when it began and ended: $LOAD, $(cut -d' ' -f1 /proc/loadavg)."
}

. "$TOP/test/bench/parts.sh"
. "$TOP/test/bench/due.sh"
. "$TOP/test/bench/rotation.sh"
. "$TOP/test/bench/load.sh"
. "$TOP/test/bench/presets.sh"

clean_environment
need_packages gcc libc6-dev make postgresql-MAJOR postgresql-server-dev-MAJOR
open_build bench
LOAD=$(cut -d' ' -f1 /proc/loadavg)
private_postgres
say "Measuring segment against $("$PG_CONFIG" --version), in $BUILD" >&2
build -s -j2 install >"$BUILD/build.log" 2>&1 || { tail -n 50 "$BUILD/build.log" >&2; die "the build failed"; }
start_cluster bench "${SETTINGS[@]}"
as_worker touch "$BUILD/figures" "$BUILD/measured"
chmod a+w "$BUILD/figures" "$BUILD/measured"
sql -c 'CREATE EXTENSION segment'

for name in $PARTS; do
	say "$name ..." >&2
	"measure_$name"
done
facts
for name in $PARTS; do
	"report_$name"
done
