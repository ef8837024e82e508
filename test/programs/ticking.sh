#!/bin/sh
# Writes the number of its attempt into the ledger again and again, by itself and by a child in a session of its own, so that the
# order of the lines tells when it ran; for ever in its first attempt, for a second in later ones.
# usage: ticking.sh LEDGER [WHO]
if [ -z "$2" ]; then
  setsid "$0" "$1" child &
fi
n=0
while [ "$QUEUECTL_ATTEMPT" = 1 ] || [ $n -lt 20 ]; do
  echo "$QUEUECTL_ATTEMPT ${2:-shell}" >> "$1"
  sleep 0.05
  n=$((n + 1))
done
[ -n "$2" ] || wait
