#!/usr/bin/env bash
# Checks every compressed file under /usr/share/doc: one `gzip -t` job for each, four workers, and one truncated
# copy that has to end in the dead letter queue. Exits 0 only when all of that came true.
#
#   examples/check-archives.sh         all files there are, and at least a thousand
#   examples/check-archives.sh 20      just so many
#
# QUEUECTL is the program to be tried; without it, this checkout's source.

set -euo pipefail

source=/usr/share/doc
wanted=${1:-all}
enough=1000
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/check-archives.XXXXXX")

# Not exported: the home is how the commands of this queue are told from all other processes at the end.
home=$work/home

queuectl() {
  if [[ -n ${QUEUECTL:-} ]]; then
    QUEUECTL_HOME=$home "$QUEUECTL" "$@"
  else
    QUEUECTL_HOME=$home bun "$root/queuectl.ts" "$@"
  fi
}

# Shows a command as one would type it, and runs it.
show() {
  echo "\$ queuectl $*"
  queuectl "$@"
  echo
}

fail() {
  echo "NOT SO: $*" >&2
  echo "everything is kept in $work" >&2
  exit 1
}

expect() { # what, found, expected
  [[ $2 == "$3" ]] || fail "$1: $2, expected $3"
  echo "$1: $2"
}

count_of() { queuectl status | awk -v name="$1" 'NF == 2 && $1 == name { print $2 }'; }

# What still runs of this queue, whatever it is called and whoever its parent is.
leftovers() {
  if [[ -d /proc/self ]]; then
    { grep -lsaF "QUEUECTL_HOME=$home" /proc/[0-9]*/environ || true; } | cut -d/ -f3
  else
    pgrep -f "gzip -t --|$root/queuectl.ts worker" || true
  fi
}

# --- The files. A line break in a path would make two lines of it, so such a file is left out.

list_archives() { find "$1" -type f -name '*.gz' -size +0 ! -path $'*\n*' 2>/dev/null | LC_ALL=C sort; }

# Compresses real files of this system until there are so many archives.
make_archives() {
  local missing=$1 made=0 path
  mkdir "$work/made"
  while IFS= read -r path; do
    if gzip -c -- "$path" >"$work/made/$made.gz" 2>/dev/null; then made=$((made + 1)); fi
    [[ $made -lt $missing ]] || break
  done < <(find "$source" /usr/share /usr/lib /etc -type f -size -200k ! -name '*.gz' ! -path $'*\n*' 2>/dev/null)
  rm -f "$work/made/$missing.gz"
  [[ $made -eq $missing ]] || fail "only $made of $missing archives could be made"
}

list_archives "$source" >"$work/files"
found=$(wc -l <"$work/files" | tr -d ' ')
[[ $wanted == all ]] || enough=$wanted
if [[ $found -lt $enough ]]; then
  make_archives $((enough - found))
  list_archives "$work/made" >>"$work/files"
elif [[ $wanted != all ]]; then
  head -n "$wanted" "$work/files" >"$work/some"
  mv "$work/some" "$work/files"
fi
files=$(wc -l <"$work/files" | tr -d ' ')

first=$(head -n 1 "$work/files")
head -c $(($(wc -c <"$first") / 2)) "$first" >"$work/truncated.gz"
echo "$files archives, $found of them found under $source, and one truncated copy"
echo

# --- The jobs: JSON Lines, all stored in one transaction. Each path is quoted for the shell, then for JSON.

{
  sed -e "s/'/'\\\\''/g" -e 's/[\\"]/\\&/g' \
    -e "s/.*/{\"command\": \"gzip -t -- '&'\", \"max_retries\": 1}/" "$work/files"
  echo "{\"id\": \"truncated\", \"command\": \"gzip -t -- '$work/truncated.gz'\", \"max_retries\": 1}"
} >"$work/jobs.jsonl"

echo "\$ queuectl enqueue --file - < jobs.jsonl | wc -l"
queuectl enqueue --file - <"$work/jobs.jsonl" >"$work/ids"
expect "jobs enqueued" "$(wc -l <"$work/ids" | tr -d ' ')" "$((files + 1))"
echo

show config set backoff_base 1
show worker start --count 4 --until-empty --quiet
show status
show dlq list
show logs truncated
show worker list

# --- Is it so?

expect "completed" "$(count_of completed)" "$files"
expect "dead" "$(count_of dead)" 1
expect "total" "$(count_of total)" "$((files + 1))"
for state in pending processing failed cancelled; do expect "$state" "$(count_of "$state")" 0; done
expect "dead letter" "$(queuectl dlq list --limit 0 | cut -f1)" truncated
queuectl logs truncated | grep -q 'unexpected end of file' || fail "gzip's message is not in the log"
echo "the log has gzip's own message"
expect "processes left" "$(leftovers | wc -l | tr -d ' ')" 0

rm -rf "$work"
echo "all as it should be"
