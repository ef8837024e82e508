// What the dashboard does in the browser beside htmx, a file for each part; they know each other by events. Pages work without any of it.

import clock from "./script/clock.js" with { type: "text" };
import dialog from "./script/dialog.js" with { type: "text" };
import focus from "./script/focus.js" with { type: "text" };
import keys from "./script/keys.js" with { type: "text" };
import log from "./script/log.js" with { type: "text" };
import notices from "./script/notices.js" with { type: "text" };
import rows from "./script/rows.js" with { type: "text" };
import sendOnce from "./script/send-once.js" with { type: "text" };
import tabs from "./script/tabs.js" with { type: "text" };
import times from "./script/times.js" with { type: "text" };

/**
 * In the order in which they hear of what happens: the clock stands still for an open dialog and for ticked rows, and the focus is looked
 * after where the clock lets a swap happen.
 */
export const script = [dialog, rows, clock, focus, times, notices, log, sendOnce, keys, tabs].join("\n");
