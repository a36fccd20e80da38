import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { focused, inWindow, launch, needed, overflow, violations, type Setting } from "./browser";
import { unsubscribeToken } from "./link";

const FORM = "/f/sleep-study";
const PLAIN: Setting = { width: 1280, scheme: "light" };
const WITHOUT_SCRIPTS: Setting = { ...PLAIN, scripts: false };
const SETTINGS: Setting[] = [1280, 390].flatMap((width) => [
  { width, scheme: "light" },
  { width, scheme: "dark" },
]);

let browser: Browser;
/** Every form that the first page offers. */
let forms: string[] = [];
/** A mail in the outbox that went to somebody who filled in a form. */
let messageId = "";

beforeAll(async () => {
  browser = await launch();
  await inWindow(browser, PLAIN, async (page) => {
    await page.goto("/");
    const links = await page.locator(".choices a").all();
    forms = await Promise.all(links.map(async (link) => (await link.getAttribute("href")) ?? ""));
    await send(page, "outbox.reader@example.com");
    messageId = await mailTo(page, "outbox.reader@example.com");
  });
});

afterAll(async () => {
  await browser.close();
});

async function fill(page: Page, email: string): Promise<void> {
  await page.locator("[name=given_name]").fill("Robin");
  await page.locator("[name=family_name]").fill("Example");
  await page.locator("[name=email]").fill(email);
  await page.locator("[name=timing]").selectOption({ index: 1 });
  await page.locator("[name=consents]").first().check();
}

async function send(page: Page, email: string): Promise<void> {
  await page.goto(FORM);
  await fill(page, email);
  await page.locator("button[type=submit]").click();
  await page.locator("[role=status]").waitFor();
}

/** Waits for the mail that confirms a form, and returns its id. */
async function mailTo(page: Page, address: string): Promise<string> {
  return vi.waitFor(
    async () => {
      await page.goto("/outbox");
      const link = page.locator("tbody tr", { hasText: address }).locator("td a");
      const href = (await link.count()) === 0 ? null : await link.first().getAttribute("href");
      if (href === null) {
        throw new Error(`No mail to ${address} is in the outbox.`);
      }
      return href.slice("/outbox/".length);
    },
    { timeout: 30_000, interval: 250 },
  );
}

const unsubscribePath = (): string => `/u/${unsubscribeToken(needed("SECRET_KEY"), messageId)}`;

/** Every public page by name, and how a visitor comes to see it. The heading proves that it is the page that was meant. */
const PAGES: [name: string, heading: RegExp, open: (page: Page) => Promise<unknown>][] = [
  ["the first page", /^How can we help you\?$/, (page) => page.goto("/")],
  ["a form", /^Ask for a sleep study$/, (page) => page.goto(FORM)],
  [
    "a form with problems",
    /^Ask for a sleep study$/,
    async (page) => {
      await page.goto(FORM);
      await page.locator("button[type=submit]").click();
      await page.locator("#problems").waitFor();
    },
  ],
  ["the thanks for a form", /^We have your request$/, (page) => send(page, "thankful@example.com")],
  ["a page that does not exist", /^This page does not exist$/, (page) => page.goto("/f/no-such-form")],
  ["the outbox", /^Outbox$/, (page) => page.goto("/outbox")],
  ["a mail of the outbox", /./, (page) => page.goto(`/outbox/${messageId}`)],
  [
    "the question before unsubscribing",
    /^Unsubscribe$/,
    async (page) => {
      // Somebody may have unsubscribed by this link already, but not by a new one.
      await send(page, "leaving@example.com");
      const token = unsubscribeToken(needed("SECRET_KEY"), await mailTo(page, "leaving@example.com"));
      await page.goto(`/u/${token}`);
    },
  ],
  [
    "the answer after unsubscribing",
    /^You are unsubscribed$/,
    async (page) => {
      await page.goto(unsubscribePath());
      const button = page.locator("button[type=submit]");
      if ((await button.count()) > 0) {
        await button.click();
        await page.locator("[role=status]").waitFor();
      }
    },
  ],
];

async function opened(page: Page, heading: RegExp, open: (page: Page) => Promise<unknown>): Promise<void> {
  await open(page);
  expect(await page.locator("h1").innerText()).toMatch(heading);
}

describe("the check itself", () => {
  it("finds a field without a name, text that is too pale, and a page that is too wide", async () => {
    await inWindow(browser, PLAIN, async (page) => {
      await page.goto(FORM);
      await page.evaluate(() => {
        document.querySelector("label[for=field-1]")?.remove();
        const heading = document.querySelector("h1");
        heading?.style.setProperty("color", "#dddddd");
        heading?.style.setProperty("width", "3000px");
      });
      const found = (await violations(page)).join("\n");
      expect(found).toContain("label: #field-1");
      expect(found).toContain("color-contrast: h1");
      expect(await overflow(page)).toBeGreaterThan(0);
    });
  });

  it("notices a request to another host", async () => {
    const elsewhere = inWindow(browser, PLAIN, async (page) => {
      await page.route("http://elsewhere.invalid/**", (route) => route.abort());
      await page.goto("/");
      await page.goto("http://elsewhere.invalid/").catch(() => null);
    });
    await expect(elsewhere).rejects.toThrow("A request went to elsewhere.invalid.");
  });
});

describe.each(SETTINGS)("at $width px, $scheme", (setting) => {
  it.each(PAGES)("%s meets WCAG 2.2 AA", async (_name, heading, open) => {
    await inWindow(browser, setting, async (page) => {
      await opened(page, heading, open);
      expect(await violations(page)).toEqual([]);
    });
  });

  it("every form that is offered meets WCAG 2.2 AA, empty and with problems", async () => {
    expect(forms.length).toBeGreaterThan(0);
    await inWindow(browser, setting, async (page) => {
      for (const form of forms) {
        await page.goto(form);
        expect(await violations(page), form).toEqual([]);
        await page.locator("button[type=submit]").click();
        await page.locator("#problems").waitFor();
        expect(await violations(page), `${form} with problems`).toEqual([]);
      }
    });
  });
});

describe("in a narrow window", () => {
  it.each(PAGES)("%s needs no sideways scrolling at 320 px", async (_name, heading, open) => {
    await inWindow(browser, { ...PLAIN, width: 320 }, async (page) => {
      await opened(page, heading, open);
      expect(await overflow(page)).toBe(0);
    });
  });

  it("no form needs sideways scrolling at 320 px", async () => {
    await inWindow(browser, { ...PLAIN, width: 320 }, async (page) => {
      for (const form of forms) {
        await page.goto(form);
        expect(await overflow(page), form).toBe(0);
      }
    });
  });
});

describe("without scripts", () => {
  it("a form is sent and answered with thanks", async () => {
    await inWindow(browser, WITHOUT_SCRIPTS, async (page) => {
      await send(page, "no.scripts@example.com");
      expect(await page.locator("h1").innerText()).toBe("We have your request");
    });
  });

  it("unsubscribing takes one press, and looking at the page does nothing", async () => {
    await inWindow(browser, WITHOUT_SCRIPTS, async (page) => {
      await send(page, "one.press@example.com");
      const path = `/u/${unsubscribeToken(needed("SECRET_KEY"), await mailTo(page, "one.press@example.com"))}`;
      await page.goto(path);
      await page.goto(path);
      expect(await page.locator("h1").innerText()).toBe("Unsubscribe");
      await page.locator("button[type=submit]").click();
      await page.locator("[role=status]").waitFor();
      await page.goto(path);
      expect(await page.locator("h1").innerText()).toBe("You are unsubscribed");
    });
  });

  it("a refused form keeps what was typed and leads to each field that is wrong", async () => {
    await inWindow(browser, WITHOUT_SCRIPTS, async (page) => {
      await page.goto(FORM);
      await fill(page, "not an address");
      await page.locator("[name=family_name]").fill("");
      await page.locator("button[type=submit]").click();
      await page.locator("#problems").waitFor();

      expect(await page.title()).toMatch(/^Error: /);
      expect(await focused(page)).toBe("problems");
      expect(await page.locator("[name=given_name]").inputValue()).toBe("Robin");
      expect(await page.locator("[name=email]").inputValue()).toBe("not an address");
      expect(await page.locator("[name=timing]").inputValue()).not.toBe("");
      expect(await page.locator("[name=consents]").first().isChecked()).toBe(true);
      expect(await page.locator("[name=consents]").nth(1).isChecked()).toBe(false);

      const links = page.locator("#problems a");
      expect(await links.count()).toBe(2);
      for (const [index, name] of ["family_name", "email"].entries()) {
        await links.nth(index).press("Enter");
        const field = page.locator(`[name=${name}]`);
        await expect.poll(() => focused(page)).toBe(await field.getAttribute("id"));
        expect(await field.getAttribute("aria-invalid")).toBe("true");
        const notes = ((await field.getAttribute("aria-describedby")) ?? "").split(" ");
        const said = await Promise.all(notes.map((id) => page.locator(`#${id}`).textContent()));
        const [label, problem] = (await links.nth(index).innerText()).split(": ");
        expect(await page.locator(`label[for=${(await field.getAttribute("id")) ?? ""}]`).innerText()).toContain(label);
        expect(said.join(" ")).toContain(problem);
      }
    });
  });
});

describe("with the keyboard alone", () => {
  it("a form is reached, filled in and sent", async () => {
    await inWindow(browser, PLAIN, async (page) => {
      await page.goto("/");
      await page.keyboard.press("Tab");
      expect(await page.locator(":focus").getAttribute("href")).toBe("#main");
      await page.keyboard.press("Enter");
      await tabTo(page, `a[href="${FORM}"]`);
      await page.keyboard.press("Enter");
      await page.waitForURL(`**${FORM}`);

      await tabTo(page, "[name=given_name]");
      await page.keyboard.type("Robin");
      await page.keyboard.press("Tab");
      await page.keyboard.type("Example");
      await page.keyboard.press("Tab");
      await page.keyboard.type("keyboard@example.com");
      await tabTo(page, "[name=timing]");
      await page.keyboard.press("ArrowDown");
      await tabTo(page, "[name=consents]");
      await page.keyboard.press("Space");
      expect(await page.locator("[name=consents]").first().isChecked()).toBe(true);
      await tabTo(page, "button[type=submit]");
      await page.keyboard.press("Enter");
      await page.locator("[role=status]").waitFor();
      expect(await page.locator("h1").innerText()).toBe("We have your request");
    });
  });

  it("the field that only programs find is never reached, and every stop can be seen", async () => {
    await inWindow(browser, PLAIN, async (page) => {
      await page.goto(FORM);
      const stops = await page.locator("a, input:not([type=hidden]), select, textarea, button").count();
      for (let stop = 0; stop < stops - 1; stop += 1) {
        await page.keyboard.press("Tab");
        expect(await focused(page)).not.toBe("field-0");
        const outline = await page.locator(":focus").evaluate((element) => getComputedStyle(element).outlineWidth);
        expect(Number.parseFloat(outline)).toBeGreaterThanOrEqual(2);
        expect(await page.locator(":focus").isVisible()).toBe(true);
      }
      // The last one is the form's button: all the others came before it.
      expect(await page.locator(":focus").getAttribute("type")).toBe("submit");
    });
  });
});

/** Presses Tab until the element has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) {
      return;
    }
  }
  throw new Error(`The keyboard does not reach ${selector}.`);
}
