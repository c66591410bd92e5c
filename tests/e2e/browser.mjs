// Controls Chromium and performs the actions of a user.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM || '/usr/bin/chromium';
const TIMEOUT = 30_000;

// Directory of the screenshots, created with the first one. It is kept after the tests.
let screenshots = process.env.E2E_SCREENSHOTS;

const ARGUMENTS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // No external requests: the provider's pages would load a font.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

// Starts Chromium with an empty profile, until the end of the test. The sandbox is off because it does not work for root;
// only the pages of these tests are opened.
export async function startChromium(t) {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    headless: true,
    chromiumSandbox: false,
    args: ARGUMENTS,
    timeout: TIMEOUT,
  });
  t.after(() => browser.close());
  return browser;
}

// Whether the URL is the redirect URL of the executable.
export const isRedirectUrl = (url) => /^http:\/\/localhost:\d+\/m365\/commerce/.test(url);

// Opens a window without cookies. `requests` are its requests, `consoleErrors` the errors on the executable's page.
export async function newUser(browser) {
  const context = await browser.newContext({ viewport: { width: 800, height: 600 } });
  context.setDefaultTimeout(TIMEOUT);
  const page = await context.newPage();
  const user = { page, requests: [], consoleErrors: [] };
  page.on('request', (request) => user.requests.push(request));
  page.on('console', (message) => {
    if (message.type() === 'error' && isRedirectUrl(message.location().url)) {
      user.consoleErrors.push(message.text());
    }
  });
  return user;
}

// Enters the user name and a password on the provider's page.
export async function signInAs(page, account) {
  await page.getByPlaceholder('Enter any login').fill(account);
  await page.getByPlaceholder('and password').fill('no secret');
  await page.getByRole('button', { name: 'Sign-in' }).click();
}

// Consents on the provider's page, which follows the sign-in page.
export async function consent(page) {
  await page.getByRole('heading', { name: 'Authorize' }).waitFor();
  await page.getByRole('button', { name: 'Continue' }).click();
}

// Cancels on any of the provider's pages.
export async function cancel(page) {
  await page.getByRole('link', { name: 'Cancel' }).click();
}

// Waits for the executable's page and returns its text.
export async function landingText(page) {
  await page.waitForURL((url) => isRedirectUrl(url.href));
  return page.locator('main').innerText();
}

// Enters a device code on the provider's page and waits for the confirmation page.
export async function enterCode(page, address, code) {
  await page.goto(address, { waitUntil: 'domcontentloaded' });
  await page.getByPlaceholder('Enter code').fill(code);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Confirm Device' }).waitFor();
}

// Takes a screenshot and returns its path.
export async function takeScreenshot(page, name) {
  screenshots ??= await mkdtemp(join(tmpdir(), 'mscommerce-e2e-screenshots-'));
  const path = join(screenshots, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}
