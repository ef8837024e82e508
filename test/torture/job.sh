#!/bin/sh
# A job of the torture run. Writes its begin and its end into the ledger and to its output, and tells when another run of the
# same job lives at that moment: its lock holds a pid that still is one.
# usage: job.sh FOLDER SECONDS STATUS
name="$QUEUECTL_JOB_ID $QUEUECTL_ATTEMPT $$"
lock="$1/locks/$QUEUECTL_JOB_ID"
other=$(cat "$lock" 2>/dev/null)
case "$(cat "/proc/${other:-none}/stat" 2>/dev/null)" in
  "" | *") Z "*) ;; # Gone, or a zombie that nobody has collected yet.
  *) echo "double $name" >> "$1/ledger" ;;
esac
echo $$ > "$lock"
echo "begin $name" >> "$1/ledger"
echo "begin $name"
sleep "$2" & wait $!
echo "end $name"
echo "end $name" >> "$1/ledger"
rm -f "$lock"
exit "$3"
