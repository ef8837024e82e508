// The programs that the demo's jobs call: small scripts that print what their likes would, wait as long, and touch nothing.

export const demoPrograms: Readonly<Record<string, string>> = {
  encode: `#!/bin/sh
echo "encoding $1, 1500 frames"
for n in $(seq 1 30); do sleep 1; printf 'frame %4d  fps=50  speed=2.0x\\n' $((n * 50)); done
echo "wrote \${1%.*}.mp4"
`,
  thumbnail: `#!/bin/sh
sleep "0.$(($$ % 9 + 1))"
echo "wrote \${1%.*}-small.jpg"
`,
  sync: `#!/bin/sh
echo "connecting to nas.example"
sleep 1
[ "$QUEUECTL_ATTEMPT" -ge 3 ] || { echo "nas.example does not answer" >&2; exit 111; }
echo "$1: 412 files, nothing to copy"
`,
  import: `#!/bin/sh
echo "reading $1"
sleep 1
echo "$1: line 1042: the price is missing" >&2
exit 65
`,
  weather: `#!/bin/sh
echo "asking weather.example"
sleep 600
`,
  train: `#!/bin/sh
for epoch in $(seq 1 60); do
  sleep 4
  printf '\\033[1mepoch %2d/60\\033[0m  loss \\033[32m0.%03d\\033[0m\\n' "$epoch" $((900 - epoch * 13))
done
`,
  report: `#!/bin/sh
sleep 2
printf '%-10s %8s\\n' region sold north 1204 south 987 east 1410 west 655
`,
  check: `#!/bin/sh
sleep 0.3
echo "$1 answered in 84 ms"
`,
};
