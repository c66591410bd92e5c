// Setup and final checks of every scenario.

import assert from 'node:assert/strict';

import { newUser, startChromium, signInAs, consent, landingText } from './browser.mjs';
import { startCommerce } from './commerce.mjs';
import { startEntra } from './server.mjs';
import { TestEnv } from './test_env.mjs';

export const ACCOUNT = 'admin@contoso.example';

// Starts both services, an environment for the executable, and a browser.
export async function startScenario(t) {
  const entra = await startEntra(t);
  const commerce = await startCommerce(t, entra);
  const env = await TestEnv.start(t, entra, commerce);
  const browser = await startChromium(t);
  return { entra, commerce, env, browser, user: await newUser(browser) };
}

// Signs in with the browser, for scenarios that test later steps.
export async function signIn({ env, browser }) {
  const { page } = await newUser(browser);
  const connect = env.start(['connect', '--no-browser']);
  await page.goto(await connect.signInUrl());
  await signInAs(page, ACCOUNT);
  await consent(page);
  await landingText(page);
  (await connect.exited()).expectCode(0);
}

// Checks that secrets of these kinds were sent or received, that the executable printed no secret of any kind, and that the
// provider had no error of its own.
export async function finishScenario(t, { entra, env }, kinds) {
  await t.test(`-vvv prints no ${kinds.join(', ')}`, () => {
    const secrets = entra.secrets();
    assert.deepEqual(kinds.filter((kind) => !secrets.some(([name]) => name === kind)), [], 'kinds without a secret');
    assert.match(env.output, /\/oauth2\/v2\.0\/token/, 'no requests in the output of -vvv');
    for (const [name, secret] of secrets) {
      assert.ok(secret.length > 20, `this ${name} is too short for a search`);
      for (const encoded of [secret, encodeURIComponent(secret)]) {
        assert.ok(!env.output.includes(encoded), `a ${name} is printed:\n${env.output}`);
      }
    }
  });
  await t.test('the provider had no server error', () => assert.deepEqual(entra.serverErrors, []));
}
