# What `make test` and `make demo` share; sourced by bash scripts.
#
# Both work in a directory of their own: a copy of the source, a copy of the
# installed PostgreSQL into which the extension goes (PostgreSQL finds its files
# relative to its programs), and clusters that listen on a socket in there.  The
# system's installation and its clusters are never touched.  Started as root,
# everything in there runs as nobody.

set -euo pipefail
umask 022

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=							# the directory, once made
CLUSTER=						# directory of the cluster; BUILD if not set
ATTENDED=						# process group of the command being waited for
WATCHDOG=						# process group of what ends it if it takes too long
LANES=()						# processes that attend to commands of their own

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

. "$TOP/test/packages.sh"

# The surroundings must not change what happens: neither the caller's
# connection settings nor the options of a make that started us.
clean_environment() {
	local name
	for name in $(compgen -e); do
		case $name in
			PG_MAJOR) ;;
			PG* | LC_* | LANGUAGE | MAKE* | MFLAGS | PERL5LIB | PROVE_* | CFLAGS | CPPFLAGS | LDFLAGS | CC)
				unset "$name" ;;
		esac
	done
	export LC_ALL=C TZ=UTC PGCLIENTENCODING=UTF8
}

# Runs a command as the user that owns the directory.
as_worker() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups --inh-caps=-all \
			env HOME="$BUILD/home" USER=nobody LOGNAME=nobody "$@"
	else
		env HOME="$BUILD/home" "$@"
	fi
}

# Runs a command or function so that a signal stops it at once: it gets a
# process group of its own, which close_build ends.  ATTEND_LIMIT: seconds after
# which it is ended anyway.
attend() {
	local status=0
	set -m
	"$@" </dev/null &
	ATTENDED=$!
	if [ -n "${ATTEND_LIMIT:-}" ]; then
		{ sleep "$ATTEND_LIMIT"; kill -TERM -- "-$ATTENDED"; sleep 10; kill -KILL -- "-$ATTENDED"; } \
			</dev/null >/dev/null 2>&1 &
		WATCHDOG=$!
	fi
	set +m
	wait "$ATTENDED" || status=$?
	ATTENDED=
	stop_watchdog
	return "$status"
}

end_attended() {
	if [ -n "$ATTENDED" ]; then
		kill -TERM -- "-$ATTENDED" 2>/dev/null
		for _ in $(seq 50); do
			kill -0 -- "-$ATTENDED" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL -- "-$ATTENDED" 2>/dev/null
	fi
	ATTENDED=
}

stop_watchdog() {
	if [ -n "$WATCHDOG" ]; then
		kill -KILL -- "-$WATCHDOG" 2>/dev/null || true
		wait "$WATCHDOG" 2>/dev/null || true
		WATCHDOG=
	fi
}

# open_build NAME: makes the directory and sees to its removal.
open_build() {
	local base=${TMPDIR:-/tmp}
	if [ "$(id -u)" -eq 0 ] && ! as_worker test -x "$base" 2>/dev/null; then
		base=/tmp
	fi
	trap close_build EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	BUILD=$(mktemp -d "$base/segment-$1.XXXXXX")
	mkdir "$BUILD/src" "$BUILD/home" "$BUILD/tmp"
	export TMPDIR=$BUILD/tmp
	(cd "$TOP" && tar -cf - --exclude=./.git --exclude=./build --exclude='*.o' --exclude='*.bc' \
		--exclude='*.so' --exclude='./sql/segment--*.sql' --exclude=./test/expected \
		--exclude=./results --exclude=./tmp_check --exclude=./output_iso .) |
		tar -C "$BUILD/src" --no-same-owner -xf -
	if [ "$(id -u)" -eq 0 ]; then
		chown -R nobody: "$BUILD"
	fi
	# The source tree may be one that nobody can't enter.
	cd "$BUILD"
}

# Ends whatever still runs in the directory.
stop_clusters() {
	local file pid
	find "$BUILD" -name postmaster.pid 2>/dev/null | while read -r file; do
		pid=$(head -n 1 "$file")
		if [ "$(readlink "/proc/$pid/cwd")" = "$(dirname "$file")" ]; then
			kill -QUIT "$pid" 2>/dev/null
			for _ in $(seq 100); do
				kill -0 "$pid" 2>/dev/null || break
				sleep 0.1
			done
		fi
	done
}

close_build() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	set +e
	stop_watchdog
	if [ ${#LANES[@]} -gt 0 ]; then
		kill -TERM "${LANES[@]}" 2>/dev/null
		wait "${LANES[@]}" 2>/dev/null
	fi
	end_attended
	if [ -n "$BUILD" ]; then
		stop_clusters
		cd /
		rm -rf "$BUILD"
	fi
	exit "$status"
}

# Copies the installed PostgreSQL.  Its programs are real copies, since they
# look for their files from where the file they are stands.
private_postgres() {
	local part
	for part in "lib/postgresql/$PG_MAJOR/bin/postgres" "lib/postgresql/$PG_MAJOR/bin/pg_config" \
		"include/postgresql/$PG_MAJOR/server/postgres.h"; do
		[ -e "/usr/$part" ] || die "/usr/$part is missing: are postgresql-$PG_MAJOR and postgresql-server-dev-$PG_MAJOR whole?"
	done
	as_worker mkdir -p "$BUILD/usr/lib/postgresql" "$BUILD/usr/share/postgresql" "$BUILD/usr/include"
	as_worker cp -R "/usr/lib/postgresql/$PG_MAJOR" "$BUILD/usr/lib/postgresql/"
	as_worker cp -R "/usr/share/postgresql/$PG_MAJOR" "$BUILD/usr/share/postgresql/"
	as_worker ln -s /usr/include/postgresql "$BUILD/usr/include/postgresql"
	PG_BIN=$BUILD/usr/lib/postgresql/$PG_MAJOR/bin
	PG_CONFIG=$PG_BIN/pg_config
}

# make in the copy of the source, for the private PostgreSQL.  Bitcode for
# JIT is left out: nothing here is large enough to be compiled.
build() {
	as_worker make -C "$BUILD/src" --no-print-directory PG_CONFIG="$PG_CONFIG" with_llvm=no "$@"
}

# start_cluster DATABASE [SETTING...]: a new cluster with that database, in
# CLUSTER, and the environment to connect to it as its superuser.
start_cluster() {
	local database=$1 dir=${CLUSTER:-$BUILD}
	shift
	export PGHOST=$dir/socket PGPORT=5432 PGUSER=postgres PGDATABASE=$database
	as_worker mkdir -m 700 "$PGHOST"
	as_worker "$PG_BIN/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale -N \
		>"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; die "initdb failed"; }
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$PGHOST'"
		echo "timezone = 'UTC'"
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | as_worker tee -a "$dir/data/postgresql.conf" >/dev/null
	as_worker "$PG_BIN/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w start >"$dir/start.log" 2>&1 ||
		{ cat "$dir/start.log" "$dir/server.log" >&2; die "the cluster did not start"; }
	[ "$database" = postgres ] ||
		as_worker "$PG_BIN/createdb" --maintenance-db=postgres "$database"
}
