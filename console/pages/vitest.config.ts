import { defineConfig } from "vitest/config";

/** The pages in a real browser, against a server that runs. `scripts/lib/pages.sh` starts one. */
export default defineConfig({
  test: {
    include: ["pages/**/*.test.ts"],
    environment: "node",
    // A browser on a busy machine takes its time; nothing here measures speed.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
