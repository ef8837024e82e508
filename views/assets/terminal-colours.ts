// The colours of terminals, as rules of a stylesheet: `f` and a number for letters, `b` and a number for the ground.

/** The first sixteen, on a light and on a dark ground: readable on either. */
const named = [
  ["#3b4048", "#8a93a0"],
  ["#b1221c", "#ff8f86"],
  ["#176b31", "#62cf8a"],
  ["#805100", "#e5b567"],
  ["#0a55c4", "#86b6ff"],
  ["#8a2b8a", "#e29be2"],
  ["#0b6670", "#5fc9d4"],
  ["#4f5863", "#d5dae0"],
  ["#5d6672", "#a9b4c0"],
  ["#c42b22", "#ffa79f"],
  ["#1c7a39", "#86dfa8"],
  ["#8a5a00", "#f2cd86"],
  ["#1a63d6", "#a8cbff"],
  ["#9c359c", "#eeb6ee"],
  ["#0d7480", "#86dce5"],
  ["#1a1e24", "#ffffff"],
] as const;

const namedRules = named.map(
  ([light, dark], n) =>
    `.f${n}{color:light-dark(${light},${dark})}.b${n}{background:light-dark(color-mix(in srgb,${light} 22%,transparent),color-mix(in srgb,${dark} 28%,transparent))}`,
);

const levels = [0, 95, 135, 175, 215, 255];

/** 16 to 255, a cube and a row of greys, are what they are: mixed with the ground's opposite, so that they can be read. */
const otherRules = Array.from({ length: 240 }, (_, index) => {
  const grey = 8 + (index - 216) * 10;
  const [r, g, b] =
    index < 216
      ? [levels[Math.floor(index / 36)], levels[Math.floor(index / 6) % 6], levels[index % 6]]
      : [grey, grey, grey];
  const colour = `rgb(${r} ${g} ${b})`;
  const mixed = (part: number, other: string) => `color-mix(in oklab,${colour} ${part}%,${other})`;
  const n = index + 16;
  return `.f${n}{color:light-dark(${mixed(50, "#000")},${mixed(55, "#fff")})}.b${n}{background:${mixed(30, "transparent")}}`;
});

export const terminalColours = [...namedRules, ...otherRules].join("\n");
