import { env } from "node:process";

import axe from "axe-core";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

export interface Setting {
  /** Width of the window in CSS pixels. */
  width: number;
  scheme: "light" | "dark";
  scripts?: boolean;
}

/** What must be in the environment for these tests to run at all. */
export function needed(name: string): string {
  const value = env[name];
  if (value === undefined || value === "") {
    throw new Error(`${name} is not set; ./scripts/test sets it.`);
  }
  return value;
}

export const server = new URL(needed("LEADWARD_URL"));

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: needed("CHROMIUM"),
    args: [
      // Containers seldom let Chromium make its own sandbox; it only opens pages of the server under test.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-default-apps",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

/**
 * Opens a window, does the work, closes the window. Fails if the page asked another host for anything, ran into a script
 * error, or was held back by its own Content-Security-Policy.
 */
export async function inWindow(browser: Browser, setting: Setting, work: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({
    baseURL: server.origin,
    viewport: { width: setting.width, height: 800 },
    colorScheme: setting.scheme,
    javaScriptEnabled: setting.scripts ?? true,
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(20_000);
  try {
    const troubles = troublesOf(context);
    // The page's policy allows no script, so axe comes in before the page does.
    await context.addInitScript(axe.source);
    await work(await context.newPage());
    if (troubles.length > 0) {
      throw new Error(troubles.join("\n"));
    }
  } finally {
    await context.close();
  }
}

function troublesOf(context: BrowserContext): string[] {
  const troubles: string[] = [];
  context.on("request", (request) => {
    const { host, protocol } = new URL(request.url());
    if (host !== server.host && protocol !== "data:" && protocol !== "about:") {
      troubles.push(`A request went to ${host}.`);
    }
  });
  context.on("weberror", (error) => troubles.push(`A script failed: ${error.error().message}`));
  context.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) {
      troubles.push(message.text());
    }
  });
  return troubles;
}

/** Everything by which the page falls short of WCAG 2.2, levels A and AA, as far as a program can tell. */
export async function violations(page: Page): Promise<string[]> {
  const results = await page.evaluate(async () => {
    const inPage = (window as unknown as { axe: typeof axe }).axe;
    return inPage.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
      // Axe leaves this criterion of WCAG 2.2 out unless it is asked for.
      rules: { "target-size": { enabled: true } },
      // The mail in the outbox's frame may run no script, so axe cannot look into it.
      iframes: false,
    });
  });
  if (results.passes.length === 0) {
    throw new Error("Axe checked nothing.");
  }
  return results.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary ?? rule.help}`),
  );
}

/** By how many pixels the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** The id of the element that has the focus; empty if it has none. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.id ?? "");
}
