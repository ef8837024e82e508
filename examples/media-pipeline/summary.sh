#!/bin/sh
# Says how many of a night's recordings were converted, and which were not.

set -eu

count() { queuectl list --tag "$1" --state "$2" --limit 0 | wc -l; }

echo "$1: $(count "$1" completed) converted, $(count "$1" dead) not" | tee -a summary.txt
queuectl list --tag "$1" --state dead --limit 0
