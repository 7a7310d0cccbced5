#!/bin/bash
# The main job on real data: a shop's purchase log, a segment table over it, and
# the background worker that keeps it right while customers buy and time passes.
#
#   KEEP=1        leaves the cluster running, and says how to connect and stop it
#   PG_MAJOR=16   the PostgreSQL to use, where several are installed

. "$(dirname "${BASH_SOURCE[0]}")/../../../test/lib.sh"

HERE=docs/examples/cdnow

step() {
	say ""
	say "== $*"
}

# run_sql ROLE FILE: as that role, from the copy of the source.
run_sql() {
	attend as_worker "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -U "$1" -f "$HERE/$2" ||
		{ say "---- the end of the server's log"; tail -n 30 "$BUILD/server.log"; die "$2 failed"; }
}

# Leaves the directory and its cluster to the user.
keep_cluster() {
	cat >"$BUILD/connect" <<-END
		#!/bin/sh
		exec "$PG_BIN/psql" -h "$PGHOST" -p "$PGPORT" -U shop demo "\$@"
	END
	cat >"$BUILD/stop" <<-END
		#!/bin/sh
		cd / && kill -INT "\$(head -n 1 "$BUILD/data/postmaster.pid")"
		while [ -e "$BUILD/data/postmaster.pid" ]; do sleep 0.1; done
		rm -rf "$BUILD"
	END
	chmod 755 "$BUILD/connect" "$BUILD/stop"
	say ""
	say "The cluster goes on running, with the worker at work.  As this user (superuser: -U postgres):"
	say "    connect:          $BUILD/connect"
	say "    stop and remove:  $BUILD/stop"
	trap - EXIT
}

clean_environment
need_packages gcc libc6-dev make postgresql-MAJOR postgresql-server-dev-MAJOR
open_build demo
private_postgres

step "Building segment for $("$PG_CONFIG" --version), in $BUILD"
attend build -s -j2 install >"$BUILD/build.log" 2>&1 || { cat "$BUILD/build.log" >&2; die "the build failed"; }

step "Starting a cluster of our own, with shared_preload_libraries = 'segment'"
start_cluster demo "shared_preload_libraries = 'segment'" "segment.databases = 'demo'" \
	"log_min_messages = 'warning'"
cd "$BUILD/src"

step "Loading the CDNOW purchase log, shifted in time so that its last day is today"
run_sql postgres create.sql
run_sql shop load.sql

step "Defining a segment table: scores and segments are SQL expressions"
say ""
sed -n '/^SELECT/,$p' "$HERE/define.sql"
run_sql shop define.sql
run_sql shop live.sql
run_sql shop dashboard.sql

if [ -n "${KEEP:-}" ]; then
	keep_cluster
fi
