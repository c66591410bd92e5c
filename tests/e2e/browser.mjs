// Chromium, and what a person does in it.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM || '/usr/bin/chromium';
const PATIENCE = 30_000;

// Where pictures are put, once there is one; they stay there when the tests have ended.
let pictures = process.env.E2E_PICTURES;

const ARGUMENTS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Nothing leaves this machine, whatever a page asks for: the provider's own pages would load a font.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

// Starts Chromium with an empty profile, until the test ends. It has no sandbox of its own, which root cannot have: it
// sees no page but those of these tests.
export async function startChromium(t) {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    headless: true,
    chromiumSandbox: false,
    args: ARGUMENTS,
    timeout: PATIENCE,
  });
  t.after(() => browser.close());
  return browser;
}

// Whether the address is that of the executable's own page.
export const isOfTheExecutable = (url) => /^http:\/\/localhost:\d+\/m365\/commerce/.test(url);

// A window in which nobody is signed in, what it asked for, and what it complained about on the executable's page.
export async function newPerson(browser) {
  const context = await browser.newContext({ viewport: { width: 800, height: 600 } });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const person = { page, requests: [], complaints: [] };
  page.on('request', (request) => person.requests.push(request));
  page.on('console', (message) => {
    if (message.type() === 'error' && isOfTheExecutable(message.location().url)) {
      person.complaints.push(message.text());
    }
  });
  return person;
}

// Types the name and a password on the provider's page.
export async function giveName(page, account) {
  await page.getByPlaceholder('Enter any login').fill(account);
  await page.getByPlaceholder('and password').fill('no secret');
  await page.getByRole('button', { name: 'Sign-in' }).click();
}

// Consents on the provider's page, which comes after the name.
export async function consent(page) {
  await page.getByRole('heading', { name: 'Authorize' }).waitFor();
  await page.getByRole('button', { name: 'Continue' }).click();
}

// Refuses on any of the provider's pages.
export async function cancel(page) {
  await page.getByRole('link', { name: 'Cancel' }).click();
}

// Waits for the executable's own page, and returns its text.
export async function landing(page) {
  await page.waitForURL((url) => isOfTheExecutable(url.href));
  return page.locator('main').innerText();
}

// Enters a device code on the provider's page, and returns when it asks whether that is the one.
export async function enterCode(page, address, code) {
  await page.goto(address, { waitUntil: 'domcontentloaded' });
  await page.getByPlaceholder('Enter code').fill(code);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Confirm Device' }).waitFor();
}

// Takes a picture of the page, and returns where it is.
export async function photograph(page, name) {
  pictures ??= await mkdtemp(join(tmpdir(), 'mscommerce-e2e-pictures-'));
  const path = join(pictures, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}
