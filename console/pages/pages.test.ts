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
  await page.locator("button[type=submit]").first().click();
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

/** Asks by a form, and returns the path of the preferences link in the mail that confirms it. */
function preferencesOf(page: Page, email: string, form = FORM): Promise<string> {
  return linkIn(page, email, form, "/p/");
}

/** Saves a form to finish it later, and returns the path of the link in the mail that comes. */
async function savedForm(page: Page, email: string, form = FORM): Promise<string> {
  await page.goto(form);
  await fill(page, email);
  await page.locator("[value=save]").click();
  await page.locator("[role=status]").waitFor();
  return linkOf(page, email, "/r/");
}

/** Asks by a form, and returns the path of the link that starts so in the mail that comes. */
async function linkIn(page: Page, email: string, form: string, start: string): Promise<string> {
  await page.goto(form);
  await fill(page, email);
  await page.locator("[name=phone]").fill("(614) 555-0142");
  // The consent to marketing too, which lets people choose topics.
  for (const box of await page.locator("[name=consents]").all()) {
    await box.check();
  }
  await page.locator("button[type=submit]").first().click();
  await page.locator("[role=status]").waitFor();
  return linkOf(page, email, start);
}

async function linkOf(page: Page, email: string, start: string): Promise<string> {
  await page.goto(`/outbox/${await mailTo(page, email)}`);
  const links = await page.locator("pre a").evaluateAll((all) => all.map((link) => link.getAttribute("href") ?? ""));
  const link = links.find((href) => new URL(href).pathname.startsWith(start));
  if (link === undefined) {
    throw new Error(`The mail has no link to ${start}.`);
  }
  return new URL(link).pathname;
}

let people = 0;
/** Somebody who has not asked before, and whose choices nobody has changed. */
const newcomer = (): string => `preferences.${(people += 1).toString()}@example.com`;

/** Its email consents count only after a second yes. */
const CAREFUL_FORM = "/f/heart-screening";
const SPANISH_FORM = "/f/estudio-del-sueno";
const CAREFUL_SPANISH_FORM = "/f/revision-del-corazon";
const CHOICES = { en: /^What you hear from us$/, es: /^Lo que recibe de nosotros$/ };

/** The preference page in each state that it can be in, for one language. */
function preferencePages(language: "en" | "es"): [string, RegExp, (page: Page) => Promise<unknown>][] {
  const form = language === "es" ? SPANISH_FORM : FORM;
  const opened = async (page: Page): Promise<string> => {
    const path = await preferencesOf(page, newcomer(), form);
    await page.goto(path);
    return path;
  };
  return [
    [`the preference page (${language})`, CHOICES[language], opened],
    [
      `the preference page after it was saved (${language})`,
      CHOICES[language],
      async (page) => {
        await opened(page);
        await page.locator("[value='EMAIL.MARKETING']").uncheck();
        await page.locator("[name=often][value='2']").check();
        await page.locator("form").first().locator("button").click();
        await page.locator("#told[role=status]").waitFor();
      },
    ],
    [
      `the preference page with a problem (${language})`,
      CHOICES[language],
      async (page) => {
        await opened(page);
        await page.locator("[name=pause]").fill("2020-01-01");
        await page.locator("form").first().locator("button").click();
        await page.locator("#problems").waitFor();
      },
    ],
    [
      `the preference page that is out of date (${language})`,
      CHOICES[language],
      async (page) => {
        const path = await opened(page);
        const other = await page.context().newPage();
        await other.goto(path);
        await other.locator("[value='EMAIL.MARKETING']").uncheck();
        await other.locator("form").first().locator("button").click();
        await other.locator("#told").waitFor();
        await other.close();
        await page.locator("[name=often][value='1']").check();
        await page.locator("form").first().locator("button").click();
        await page.locator("#told[role=alert]").waitFor();
      },
    ],
    [
      `the preference page after everything was ended (${language})`,
      CHOICES[language],
      async (page) => {
        await opened(page);
        await page.locator("form").nth(1).locator("button").click();
        await page.locator("#told[role=status]").waitFor();
      },
    ],
    [
      `a preference link that is void (${language})`,
      language === "es" ? /^Esta página no existe$/ : /^This page does not exist$/,
      async (page) => {
        await page.setExtraHTTPHeaders({ "accept-language": language });
        await page.goto(`/p/${"A".repeat(64)}`);
      },
    ],
  ];
}

/** What a visitor sees who saves a form to finish it later, in one language. */
function laterPages(language: "en" | "es"): [string, RegExp, (page: Page) => Promise<unknown>][] {
  const spanish = language === "es";
  const form = spanish ? SPANISH_FORM : FORM;
  const title = spanish ? /^Solicite un estudio del sueño$/ : /^Ask for a sleep study$/;
  return [
    [
      `the page after a form was saved (${language})`,
      spanish ? /^Hemos guardado su formulario$/ : /^We have saved your form$/,
      async (page) => {
        await page.goto(form);
        await fill(page, newcomer());
        await page.locator("[value=save]").click();
        await page.locator("[role=status]").waitFor();
      },
    ],
    [
      `a form saved without an address (${language})`,
      title,
      async (page) => {
        await page.goto(form);
        await page.locator("[value=save]").click();
        await page.locator("#problems").waitFor();
      },
    ],
    [`a saved form (${language})`, title, async (page) => page.goto(await savedForm(page, newcomer(), form))],
    [
      `a saved form that is deleted (${language})`,
      spanish ? /^Está borrado$/ : /^It is deleted$/,
      async (page) => {
        await page.goto(await savedForm(page, newcomer(), form));
        await page.locator("[value=forget]").click();
        await page.waitForLoadState();
      },
    ],
    [
      `the link to a form that was sent (${language})`,
      spanish ? /^Ya envió este formulario$/ : /^You have sent this form$/,
      async (page) => {
        const path = await savedForm(page, newcomer(), form);
        await page.goto(path);
        await page.locator("button[type=submit]").first().click();
        await page.locator("[role=status]").waitFor();
        await page.goto(path);
      },
    ],
  ];
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
      await page.locator("button[type=submit]").first().click();
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
      const email = newcomer();
      await send(page, email);
      const token = unsubscribeToken(needed("SECRET_KEY"), await mailTo(page, email));
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
  [
    "the question before unsubscribing, in Spanish",
    /^Darse de baja$/,
    async (page) => {
      const email = newcomer();
      await preferencesOf(page, email, SPANISH_FORM);
      await page.goto(`/u/${unsubscribeToken(needed("SECRET_KEY"), await mailTo(page, email))}`);
    },
  ],
  [
    "the question for a second yes",
    /^Confirm your choice$/,
    async (page) => page.goto(await linkIn(page, newcomer(), CAREFUL_FORM, "/c/")),
  ],
  [
    "the answer after a second yes",
    /^Thank you, it is confirmed$/,
    async (page) => {
      await page.goto(await linkIn(page, newcomer(), CAREFUL_FORM, "/c/"));
      await page.locator("button[type=submit]").first().click();
      await page.locator("[role=status]").waitFor();
    },
  ],
  [
    "the question for a second yes, in Spanish",
    /^Confirme su elección$/,
    async (page) => page.goto(await linkIn(page, newcomer(), CAREFUL_SPANISH_FORM, "/c/")),
  ],
  [
    "the answer after a second yes, in Spanish",
    /^Gracias, está confirmado$/,
    async (page) => {
      await page.goto(await linkIn(page, newcomer(), CAREFUL_SPANISH_FORM, "/c/"));
      await page.locator("button[type=submit]").first().click();
      await page.locator("[role=status]").waitFor();
    },
  ],
  ...preferencePages("en"),
  ...preferencePages("es"),
  ...laterPages("en"),
  ...laterPages("es"),
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
        await page.locator("button[type=submit]").first().click();
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

  it("a form is saved, found again behind the link, and sent", async () => {
    await inWindow(browser, WITHOUT_SCRIPTS, async (page) => {
      const path = await savedForm(page, newcomer());
      await page.goto(path);
      expect(await page.locator("[name=given_name]").inputValue()).toBe("Robin");
      // What was agreed to is told, and no box is ticked for anybody.
      expect(await page.locator(".agreed li").count()).toBe(1);
      expect(await page.locator("[name=consents]:checked").count()).toBe(0);
      await page.locator("button[type=submit]").first().click();
      await page.locator("[role=status]").waitFor();
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
      await page.locator("button[type=submit]").first().click();
      await page.locator("[role=status]").waitFor();
      await page.goto(path);
      expect(await page.locator("h1").innerText()).toBe("You are unsubscribed");
    });
  });

  it("the preference page is saved, remembered, and told to who listens", async () => {
    await inWindow(browser, WITHOUT_SCRIPTS, async (page) => {
      const path = await preferencesOf(page, newcomer());
      await page.goto(path);
      await page.locator("[name=lines]").first().uncheck();
      await page.locator("[name=often][value='4']").check();
      await page.locator("[name=language][value=es]").check();
      await page.locator("form").first().locator("button").click();
      await page.locator("#told[role=status]").waitFor();
      expect(await focused(page)).toBe("told");
      expect(await page.locator("html").getAttribute("lang")).toBe("es");
      await page.goto(path);
      expect(await page.locator("[name=lines]").first().isChecked()).toBe(false);
      expect(await page.locator("[name=often][value='4']").isChecked()).toBe(true);
      expect(await page.locator("[name=language][value=es]").isChecked()).toBe(true);
      expect(await page.locator("#told").count()).toBe(0);
    });
  });

  it("a preference page with a problem keeps what was typed and leads to the field", async () => {
    await inWindow(browser, WITHOUT_SCRIPTS, async (page) => {
      await page.goto(await preferencesOf(page, newcomer()));
      await page.locator("[name=pause]").fill("2020-01-01");
      await page.locator("[value='EMAIL.MARKETING']").uncheck();
      await page.locator("form").first().locator("button").click();
      await page.locator("#problems").waitFor();
      expect(await page.title()).toMatch(/^Error: /);
      expect(await focused(page)).toBe("problems");
      expect(await page.locator("[name=pause]").inputValue()).toBe("2020-01-01");
      expect(await page.locator("[value='EMAIL.MARKETING']").isChecked()).toBe(false);
      await page.locator("#problems a").press("Enter");
      await expect.poll(() => focused(page)).toBe("pause");
      expect(await page.locator("#pause").getAttribute("aria-invalid")).toBe("true");
    });
  });

  it("a refused form keeps what was typed and leads to each field that is wrong", async () => {
    await inWindow(browser, WITHOUT_SCRIPTS, async (page) => {
      await page.goto(FORM);
      await fill(page, "not an address");
      await page.locator("[name=family_name]").fill("");
      await page.locator("button[type=submit]").first().click();
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
