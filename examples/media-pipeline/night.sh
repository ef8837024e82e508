#!/bin/sh
# What the schedule runs: one job for each recording, and one for the summary behind them. Run again, as after a power cut in
# the middle, it finds the jobs that it has enqueued already (--unique-for) and makes the rest.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
night=night-$(date +%F)

ids=$(
  find new -type f -name '*.wav' -print0 | sort -z |
    queuectl enqueue -0 --each "'$here/convert.sh' {} done/{/.}.flac" --unique-for 12h \
      --queue conversions --tag "$night" --max-retries 1 --timeout 1h
)
[ -n "$ids" ] || exit 0

# shellcheck disable=SC2046,SC2086 # one word for each option and id
queuectl enqueue --unique-key "summary of $night" --unique-for 12h $(printf -- '--after-any %s ' $ids) -- \
  "$here/summary.sh" "$night"
