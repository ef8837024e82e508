#!/bin/sh
# Sets up a nightly media pipeline: at half past one every recording in new/ is converted into done/, two at a time, and a
# summary follows when all of them are settled, whatever became of them. A conversion that dies is told to Slack.
#
#   examples/media-pipeline/setup.sh <folder> [<Slack webhook>]
#
# It may be run again: everything it sets up is put in the place of what was there.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
media=$(cd "$1" && pwd)
mkdir -p "$media/new" "$media/done"

queuectl queue set conversions --concurrency 2
queuectl schedule add nightly '30 1 * * *' --replace --cwd "$media" -- "$here/night.sh"
if [ $# -gt 1 ]; then
  queuectl alert delete conversions 2>/dev/null || true
  queuectl alert add conversions --on dead --queue conversions --slack "$2"
fi
