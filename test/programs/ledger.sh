#!/bin/sh
# Writes when it begins and when it ends into the ledger, with its pid; each line is one write to the end of the file.
# usage: ledger.sh LEDGER SECONDS [EXIT STATUS]
echo "begin $QUEUECTL_JOB_ID $QUEUECTL_ATTEMPT $$" >> "$1"
sleep "$2"
echo "end $QUEUECTL_JOB_ID $QUEUECTL_ATTEMPT $$" >> "$1"
exit "${3:-0}"
