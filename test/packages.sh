# Debian packages the newcomer's commands need; sourced by lib.sh.
#
# Only missing packages are installed: nothing is upgraded, no server that
# runs already is restarted, and no cluster is created.

SUPPORTED_MAJORS='15 16 17 18'

package_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

package_available() {
	[ -n "$(apt-cache madison "$1" 2>/dev/null)" ]
}

# Runs a command as root, or fails without asking for a password.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

can_be_root() {
	[ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

# The PostgreSQL to use: PG_MAJOR if given, else one that is installed with
# its server headers, else one that could be.  Older before newer.
choose_major() {
	local major
	if [ -n "${PG_MAJOR:-}" ]; then
		case " $SUPPORTED_MAJORS " in
			*" $PG_MAJOR "*) return ;;
		esac
		die "PG_MAJOR=$PG_MAJOR: segment supports PostgreSQL ${SUPPORTED_MAJORS// /, }"
	fi
	for major in $SUPPORTED_MAJORS; do
		if package_installed "postgresql-$major" &&
			package_installed "postgresql-server-dev-$major"; then
			PG_MAJOR=$major
			return
		fi
	done
	for major in $SUPPORTED_MAJORS; do
		if package_available "postgresql-$major"; then
			PG_MAJOR=$major
			return
		fi
	done
	PG_MAJOR=
}

# need_packages PACKAGE...: installs those that are missing.  The word
# MAJOR in a name stands for the major version of PostgreSQL, chosen here.
need_packages() {
	command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
		die "this command needs Debian or Ubuntu; elsewhere use: make install && make installcheck"
	choose_major
	if [ -z "$PG_MAJOR" ]; then
		# Package lists may not have been fetched yet.
		! can_be_root || as_root apt-get update -qq || true
		choose_major
		PG_MAJOR=${PG_MAJOR:-${SUPPORTED_MAJORS%% *}}
	fi

	local package missing=()
	for package in "${@//MAJOR/$PG_MAJOR}"; do
		package_installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	if ! can_be_root; then
		say "Debian packages are missing, and this user is neither root nor has sudo without a password."
		say "Install them as root, then start again:"
		say ""
		say "    apt-get install --no-upgrade --no-install-recommends ${missing[*]}"
		say ""
		exit 1
	fi
	install_packages "${missing[@]}"
}

# want_package PACKAGE: installs what is of use, but can be done without; false
# if that can't be done.  Some distributions have it in another package.
want_package() {
	package_installed "$1" || { package_available "$1" && can_be_root && (install_packages "$1"); }
}

# In a subshell, so that whatever happens its trap removes the setting that
# keeps the server package from creating and starting a cluster.
install_packages() {
	say "Installing Debian packages: $*"
	(
		setting=/etc/postgresql-common/createcluster.d/zz-segment-$$.conf
		log=$(mktemp)
		made=
		[ -d "${setting%/*}" ] || made=${setting%/*}
		trap 'as_root rm -f "$setting"; [ -z "$made" ] || as_root rmdir --ignore-fail-on-non-empty "$made"; rm -f "$log"' EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM HUP
		as_root mkdir -p "${setting%/*}"
		echo 'create_main_cluster = false' | as_root tee "$setting" >/dev/null

		apt=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C.UTF-8
			apt-get -y -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120)
		install=("${apt[@]}" --no-upgrade --no-install-recommends)
		if ! as_root "${apt[@]}" update >"$log" 2>&1; then
			tail -n 20 "$log" >&2
			say "apt-get update failed; going on with the package lists there are"
		fi
		if ! as_root "${install[@]}" --simulate install "$@" >"$log" 2>&1; then
			tail -n 20 "$log" >&2
			die "these packages can't be installed from this machine's package sources" \
				"(PostgreSQL $PG_MAJOR may need those of https://wiki.postgresql.org/wiki/Apt)"
		fi
		if grep -E '^(Remv |Inst postgresql-[0-9]+ \[)' "$log" >&2; then
			die "installing them would remove a package or upgrade a server; nothing was done"
		fi
		if ! as_root "${install[@]}" install "$@" >"$log" 2>&1 </dev/null; then
			tail -n 40 "$log" >&2
			die "apt-get install failed"
		fi
	)
}
