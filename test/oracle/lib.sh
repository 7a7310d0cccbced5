# What the property tests begin with; sourced by their run.sh, POSIX sh.
#
# Each has a database of its own, on the server that PGHOST, PGPORT and PGUSER
# say, and deals its seeds to sessions that run side by side.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
home=${PGDATABASE:-postgres}

# seeds "FIRST [LAST]": sets $first and $last.
seeds()
{
	set -- $1
	first=$1
	last=${2:-$1}
}

# Statements in the database that was there before, without notices.
at_home()
{
	for statement in "$@"; do
		psql -X -q -d "$home" -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c "$statement" || return 1
	done
}

# open_database NAME KEEP [ROLE]: makes the database and connects to it from here
# on.  It goes when the script ends, with the role that its tests make, unless
# KEEP is on.
open_database()
{
	database=$1
	keep=$2
	role=${3:-}
	trap close_database EXIT
	at_home "DROP DATABASE IF EXISTS $database" "CREATE DATABASE $database TEMPLATE template0 ENCODING 'UTF8'" || exit 1
	PGDATABASE=$database
	export PGDATABASE
}

close_database()
{
	rm -rf "$work"
	[ "$keep" = on ] || at_home "DROP DATABASE IF EXISTS $database" ${role:+"DROP ROLE IF EXISTS $role"} || true
}

# load ARGUMENT...: psql with these, after CREATE EXTENSION; ends the script if that fails.
load()
{
	psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION segment' "$@" >"$work/load" 2>&1 ||
		{ cat "$work/load"; exit 1; }
}

# deal JOBS: runs "session JOB" so many times side by side, the output of each in
# $work/out.JOB; false if one fails.  JOB counts from 0: the seeds of a session
# are first + JOB, first + JOB + JOBS and so on.
deal()
{
	jobs=$1
	job=0
	pids=
	while [ $job -lt "$jobs" ]; do
		session $job >"$work/out.$job" 2>&1 &
		pids="$pids $!"
		job=$((job + 1))
	done
	failed=0
	for pid in $pids; do
		wait "$pid" || failed=1
	done
	return $failed
}

# Errors of the sessions, as remarks.
remarks()
{
	cat "$work"/out.* | grep -E 'ERROR|FATAL|server closed' | sed 's/^/# /' || true
}
