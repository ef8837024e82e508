#!/bin/sh
# Converts one recording, whole or not at all, and removes it. CONVERT is a command that reads a file and writes to stdout.

set -eu

trap 'rm -f "$2.part"' EXIT
${CONVERT:-flac --silent --stdout} "$1" >"$2.part"
mv "$2.part" "$2"
rm "$1"
