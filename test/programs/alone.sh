#!/bin/sh
# alone.sh <folder> <most>: says in <folder>.crowded when more than so many of its like run at once, whoever started them.
mkdir -p "$1"
: > "$1/$$"
running=0
for file in "$1"/*; do
  if kill -0 "${file##*/}" 2>/dev/null; then running=$((running + 1)); else rm -f "$file"; fi
done
[ "$running" -le "$2" ] || echo "$running" >> "$1.crowded"
sleep 0.15
rm -f "$1/$$"
