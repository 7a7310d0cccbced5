#!/bin/bash
# consumer.sh COMMAND...: sends a message for each customer who enters a segment.
#
# Runs COMMAND with the message's id and the customer's key as last arguments,
# and again if that fails or nobody can say whether it succeeded.  The id is
# always the same for the same change, so let COMMAND hand it on as the
# idempotency key that interfaces for mail and CRM take: the receiver then drops
# what it has already.  Nothing is missed and nothing comes twice, wherever this
# script is killed.
#
# Connects by PGHOST, PGPORT, PGUSER and PGDATABASE; setup.sql comes first.
# Returns when nothing is left to send; run it again and again, or whenever a
# notification comes on the channel "segment".

set -euo pipefail

query() {
	psql -XAtq -v ON_ERROR_STOP=1 "$@"
}

# What has changed becomes messages, a thousand changes at a time.
while [ "$(query -c 'SELECT consumer.take(1000)')" -gt 0 ]; do
	:
done

# Messages are sent in order, and each then noted as sent.  It ends where COMMAND fails.
query -F $'\t' -c 'SELECT id, key FROM consumer.message WHERE sent_at IS NULL ORDER BY n' |
	while IFS=$'\t' read -r id key; do
		"$@" "$id" "$key" </dev/null
		query -v id="$id" <<<"UPDATE consumer.message SET sent_at = now() WHERE id = :'id'"
	done
