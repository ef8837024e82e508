// The stylesheet: a file for each part of the pages, in the order in which one overrides another.

import base from "./style/base.css" with { type: "text" };
import controls from "./style/controls.css" with { type: "text" };
import frame from "./style/frame.css" with { type: "text" };
import job from "./style/job.css" with { type: "text" };
import motion from "./style/motion.css" with { type: "text" };
import narrow from "./style/narrow.css" with { type: "text" };
import notices from "./style/notices.css" with { type: "text" };
import overview from "./style/overview.css" with { type: "text" };
import print from "./style/print.css" with { type: "text" };
import states from "./style/states.css" with { type: "text" };
import tables from "./style/tables.css" with { type: "text" };
import { terminalColours } from "./terminal-colours.ts";

export const style = [
  base,
  frame,
  states,
  controls,
  tables,
  overview,
  job,
  notices,
  narrow,
  motion,
  print,
  terminalColours,
].join("\n");
