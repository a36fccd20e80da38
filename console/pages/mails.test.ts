/**
 * Every mail that the demo hospital sends, opened as a mail program would: each template in each language, filled in for
 * a lead, and the mails whose words are built in. SCREENSHOTS names a folder for pictures of them.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";

import type { APIRequestContext, Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { inWindow, launch, overflow, violations, type Setting } from "./browser";

interface Mail {
  name: string;
  language: string;
  html: string;
}

const ADMIN = { email: "avery.stone@riverbend.example", password: "riverbend-demo" };
const SETTINGS: Setting[] = [
  { width: 1280, scheme: "light" },
  { width: 390, scheme: "light" },
];

let browser: Browser;
const mails: Mail[] = [];

async function ask<Data>(request: APIRequestContext, query: string, variables: object): Promise<Data> {
  const response = await request.post("/graphql", { data: { query, variables } });
  const answer = (await response.json()) as { data?: Data; errors?: { message: string }[] };
  if (answer.data === undefined || answer.errors !== undefined) {
    throw new Error(JSON.stringify(answer.errors));
  }
  return answer.data;
}

async function signIn(request: APIRequestContext, who: object): Promise<void> {
  await ask(request, "mutation($who: SignInInput!) { signIn(input: $who) { csrfToken } }", { who });
}

interface Templates {
  templates: { nodes: { key: string; current: { id: string; bodies: { language: string }[] } }[] };
}

async function templates(request: APIRequestContext): Promise<Mail[]> {
  await signIn(request, ADMIN);
  const { leads } = await ask<{ leads: { nodes: { id: string }[] } }>(
    request,
    "{ leads(first: 1) { nodes { id } } }",
    {},
  );
  const found = await ask<Templates>(
    request,
    "{ templates(first: 100) { nodes { key current { id bodies { language } } } } }",
    {},
  );
  const written: Mail[] = [];
  for (const { key, current } of found.templates.nodes) {
    for (const { language } of current.bodies) {
      const { previewTemplate } = await ask<{ previewTemplate: { html: string } }>(
        request,
        `query($version: ID!, $lead: ID!, $language: String) {
          previewTemplate(versionId: $version, leadId: $lead, language: $language) { html } }`,
        { version: current.id, lead: leads.nodes[0]?.id, language },
      );
      written.push({ name: key, language, html: previewTemplate.html });
    }
  }
  return written;
}

/** The mail that asks for a second yes. */
function asksAgain(page: Page, form: string, language: string): Promise<Mail> {
  return builtIn(page, form, language, "second-yes", "button[type=submit]");
}

/** The mail with the link to a form that was saved to be finished later. */
function bringsLink(page: Page, form: string, language: string): Promise<Mail> {
  return builtIn(page, form, language, "form-saved", "[value=save]");
}

/** The mail that comes when a button of a form is pressed. */
async function builtIn(page: Page, form: string, language: string, name: string, button: string): Promise<Mail> {
  const email = `${name}.${language}@example.com`;
  await page.goto(form);
  await page.locator("[name=given_name]").fill("Robin");
  await page.locator("[name=family_name]").fill("Example");
  await page.locator("[name=email]").fill(email);
  await page.locator("[name=phone]").fill("(614) 555-0142");
  for (const box of await page.locator("[name=consents]").all()) {
    await box.check();
  }
  await page.locator(button).first().click();
  await page.locator("[role=status]").waitFor();
  const path = await vi.waitFor(
    async () => {
      await page.goto("/outbox");
      const link = page.locator("tbody tr", { hasText: email }).locator("td a");
      const href = (await link.count()) === 0 ? null : await link.first().getAttribute("href");
      if (href === null) {
        throw new Error(`No mail to ${email} is in the outbox.`);
      }
      return href;
    },
    { timeout: 30_000, interval: 250 },
  );
  const html = await (await page.request.get(`${path}/html`)).text();
  return { name, language, html };
}

beforeAll(async () => {
  browser = await launch();
  await inWindow(browser, { width: 1280, scheme: "light" }, async (page) => {
    mails.push(
      await asksAgain(page, "/f/heart-screening", "en"),
      await asksAgain(page, "/f/revision-del-corazon", "es"),
      await bringsLink(page, "/f/sleep-study", "en"),
      await bringsLink(page, "/f/estudio-del-sueno", "es"),
      ...(await templates(page.request)),
    );
  });
}, 120_000);

afterAll(async () => {
  await browser.close();
});

/** Shows a mail by itself, with nothing fetched. */
async function show(page: Page, { html }: Mail): Promise<void> {
  await page.goto("about:blank");
  await page.setContent(html);
}

async function picture(page: Page, { name, language }: Mail, { width }: Setting): Promise<void> {
  const folder = env["SCREENSHOTS"];
  if (folder !== undefined && folder !== "") {
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.${language}.${width.toString()}.png`), fullPage: true });
  }
}

describe.each(SETTINGS)("at $width px", (setting) => {
  it("every mail meets WCAG 2.2 AA in every language, fits, and fetches nothing", async () => {
    expect(mails.length).toBeGreaterThan(20);
    expect(new Set(mails.map(({ language }) => language))).toEqual(new Set(["en", "es"]));
    await inWindow(browser, setting, async (page) => {
      for (const mail of mails) {
        await show(page, mail);
        await picture(page, mail, setting);
        const which = `${mail.name} (${mail.language})`;
        expect(await page.locator("html").getAttribute("lang"), which).toBe(mail.language);
        expect(await page.title(), which).not.toBe("");
        expect(await violations(page), which).toEqual([]);
        expect(await overflow(page), which).toBe(0);
      }
    });
  });
});
