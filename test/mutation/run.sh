#!/bin/bash
# Do the tests notice?  Puts back one mistake after the other into a copy of the
# source, in a PostgreSQL of its own, runs the tests that should notice, and
# says which did.  A mistake that no test notices is a failure, and so is one
# that no longer fits the source.  The last line is "N passed, N failed".
#
#   MUTATIONS="marks_on_conflict ..."   those alone; all in mutations.sh
#   PG_MAJOR=16                         the PostgreSQL to use, where several are installed

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

PASSED=0
FAILED=0
NAMES=()
PATIENCE=15						# seconds after which a step of an isolation test hangs
declare -A WHAT TESTS

# mutation NAME TESTS WHAT: the function mutate_NAME puts the mistake in.
# TESTS: isolation:…, regress:… and tap:… with names after commas, in the order in which to try them.
mutation() {
	NAMES+=("$1")
	TESTS[$1]=$2
	WHAT[$1]=$3
}

# swap FILE OLD NEW: replaces the one place of OLD, whatever its white space.
swap() {
	local file=$BUILD/src/$1
	[ -e "$BUILD/pristine/$1" ] || {
		mkdir -p "$(dirname "$BUILD/pristine/$1")"
		cp "$file" "$BUILD/pristine/$1"
	}
	OLD=$2 NEW=$3 perl -0777 -i -pe '
		my $old = join "\\s+", map { quotemeta } split " ", $ENV{OLD};
		my $n = s/$old/$ENV{NEW}/g;
		if ($n != 1) { print STDERR "$ARGV has ", $n || 0, " places like: $ENV{OLD}\n"; $failed = 1 }
		END { $? = 1 if $failed }' "$file" || return 1
	[ "$(id -u)" -ne 0 ] || chown nobody: "$file"
}

# The source as it was.  What is copied is newer than what was built from the mistake.
restore() {
	[ -d "$BUILD/pristine" ] || return 0
	(cd "$BUILD/pristine" && find . -type f) | while read -r file; do
		cp "$BUILD/pristine/$file" "$BUILD/src/$file"
		[ "$(id -u)" -ne 0 ] || chown nobody: "$BUILD/src/$file"
	done
	rm -rf "$BUILD/pristine"
}

# Runs tests of a kind; prints the names of those that fail, one a line.  A test that hangs has failed.
failures() {
	local kind=$1 names=${2//,/ } log=$BUILD/run.log status=0 suite environment=()
	case $kind in
		isolation) suite=("ISOLATION=$names" REGRESS= TAP_TESTS=) ;;
		regress) suite=("REGRESS=$names" ISOLATION= TAP_TESTS=) ;;
		tap)
			suite=(REGRESS= ISOLATION= "PROVE_TESTS=$(printf 'test/t/%s.pl ' $names)")
			environment=(-u PGHOST -u PGPORT -u PGUSER -u PGDATABASE)
			;;
	esac
	ATTEND_LIMIT=300 attend as_worker env "${environment[@]}" PGISOLATIONTIMEOUT="$PATIENCE" make -C "$BUILD/src" --no-print-directory \
		PG_CONFIG="$PG_CONFIG" with_llvm=no installcheck "${suite[@]}" >"$log" 2>&1 || status=$?
	[ "$status" -ne 0 ] || return 0
	# PostgreSQL 16 began to report in TAP
	sed -n -e 's/^\(test \)\{0,1\}\([a-z_0-9]*\)  *\.\.\. FAILED.*/\2/p' \
		-e 's/^not ok [0-9]* *[-+] \([a-z_0-9]*\).*/\1/p' -e 's,^test/t/\([a-z_]*\)\.pl  *(Wstat.*,\1,p' "$log" >"$BUILD/names"
	[ -s "$BUILD/names" ] || echo "(ended with $status)" >"$BUILD/names"
	cat "$BUILD/names"
}

install_build() {
	attend build -s -j2 install >"$BUILD/build.log" 2>&1
}

# One mistake: passes if a test fails.
try() {
	local name=$1 suite caught=
	SECONDS=0
	if ! "mutate_$name" 2>"$BUILD/swap.log"; then
		say "not ok: $name no longer fits the source: $(cat "$BUILD/swap.log")"
		FAILED=$((FAILED + 1))
		restore
		return
	fi
	if ! install_build; then
		say "not ok: $name does not compile"
		grep -m 5 error "$BUILD/build.log" || true
		FAILED=$((FAILED + 1))
		restore
		return
	fi
	for suite in ${TESTS[$name]}; do
		caught=$(failures "${suite%%:*}" "${suite#*:}" | paste -sd ' ')
		[ -z "$caught" ] || { caught="${suite%%:*} $caught"; break; }
	done
	restore
	if [ -n "$caught" ]; then
		say "ok: $name (${WHAT[$name]}) is noticed by $caught (${SECONDS}s)"
		PASSED=$((PASSED + 1))
	else
		say "not ok: $name (${WHAT[$name]}): no test notices (${SECONDS}s)"
		FAILED=$((FAILED + 1))
	fi
}

# The tests themselves must pass on the source as it is, or nothing is shown.
try_none() {
	local kind names failed file PATIENCE=100
	for kind in isolation regress tap; do
		names=$(for name in "$@"; do printf '%s\n' ${TESTS[$name]}; done |
			sed -n "s/^$kind://p" | tr , '\n' | sort -u | paste -sd ,)
		[ -n "$names" ] || continue
		failed=$(failures "$kind" "$names" | paste -sd ' ')
		[ -n "$failed" ] || continue
		for file in "$BUILD/run.log" "$BUILD"/src/regression.diffs "$BUILD"/src/output_iso/regression.diffs; do
			[ ! -s "$file" ] || tail -n 100 "$file"
		done
		die "$kind tests fail on the source as it is: $failed"
	done
}

. "$(dirname "${BASH_SOURCE[0]}")/mutations.sh"

clean_environment
need_packages gcc libc6-dev make perl libipc-run-perl postgresql-MAJOR postgresql-server-dev-MAJOR
open_build mutation
private_postgres
say "Putting mistakes into segment for $("$PG_CONFIG" --version), in $BUILD"
install_build || { tail -n 50 "$BUILD/build.log" >&2; die "the build failed"; }
start_cluster postgres 'fsync = off' 'max_prepared_transactions = 20' 'restart_after_crash = on'
read -ra chosen <<<"${MUTATIONS:-${NAMES[*]}}"
try_none "${chosen[@]}"
for name in "${chosen[@]}"; do
	[ -n "${WHAT[$name]:-}" ] || die "there is no mutation $name"
	try "$name"
done
say ""
say "$PASSED passed, $FAILED failed"
[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
