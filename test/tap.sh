# Results of scripts as TAP; sourced by bash scripts.

NUMBER=0
BAD=0

# report NAME STATUS LOG: passes if the status is 0; the end of the log is the evidence.
report() {
	NUMBER=$((NUMBER + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $NUMBER - $1"
	else
		echo "not ok $NUMBER - $1"
		tail -n 60 "$3" | sed 's/^/# /'
		BAD=1
	fi
}

# check NAME OUTPUT: passes if there is no output; output is the evidence.
check() {
	NUMBER=$((NUMBER + 1))
	if [ -z "$2" ]; then
		echo "ok $NUMBER - $1"
	else
		echo "not ok $NUMBER - $1"
		sed 's/^/# /' <<<"$2"
		BAD=1
	fi
}
