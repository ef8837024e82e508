import { describe, expect, test } from "bun:test";
import type { MakeStore } from "../../support/temp-store.ts";

export function settingsContract(makeStore: MakeStore): void {
  describe("settings", () => {
    test("only what was set is there, in the words it was set with, for everyone", async () => {
      await using temp = await makeStore();
      const { settings } = temp.store;
      expect(await settings.all()).toEqual({});
      await settings.set("max_retries", "007");
      await settings.set("timeout", "1h 30m");
      await settings.set("capture_env", "");
      const stored = { max_retries: "007", timeout: "1h 30m", capture_env: "" };
      expect(await settings.all()).toEqual(stored);
      expect(await (await temp.another()).settings.all()).toEqual(stored);
    });

    test("the last word counts", async () => {
      await using temp = await makeStore();
      const { settings } = temp.store;
      await settings.set("priority", "2");
      await settings.set("priority", "5");
      expect(await settings.all()).toEqual({ priority: "5" });
    });

    test("a setting that is unset is missing, also when it never was set", async () => {
      await using temp = await makeStore();
      const { settings } = temp.store;
      await settings.set("priority", "2");
      await settings.set("timeout", "5");
      await settings.unset("priority");
      await settings.unset("kill_grace");
      expect(await settings.all()).toEqual({ timeout: "5" });
    });
  });
}
