// What every story begins with, and what has to hold at the end of each.

import assert from 'node:assert/strict';

import { newPerson, startChromium, giveName, consent, landing } from './browser.mjs';
import { startCommerce } from './commerce.mjs';
import { startEntra } from './server.mjs';
import { Machine } from './test_env.mjs';

export const ACCOUNT = 'admin@contoso.example';

// The two services, a machine with the executable, and a person at a browser.
export async function begin(t) {
  const entra = await startEntra(t);
  const commerce = await startCommerce(t, entra);
  const machine = await Machine.start(t, entra, commerce);
  const browser = await startChromium(t);
  return { entra, commerce, machine, browser, person: await newPerson(browser) };
}

// Signs in by the browser way, for stories that are about what comes after it.
export async function signIn({ machine, browser }) {
  const { page } = await newPerson(browser);
  const connecting = machine.start(['connect', '--no-browser']);
  await page.goto(await connecting.address());
  await giveName(page, ACCOUNT);
  await consent(page);
  await landing(page);
  (await connecting.ended()).expectCode(0);
}

// Secrets of these kinds have gone over the network, and the executable has shown none of any kind. The provider has
// refused whatever it refused by its rules, and not because it broke.
export async function end(t, { entra, machine }, kinds) {
  await t.test(`no ${kinds.join(', ')} shows in what the executable says at -vvv`, () => {
    const secrets = entra.secrets();
    assert.deepEqual(kinds.filter((kind) => !secrets.some(([name]) => name === kind)), [], 'were never seen');
    assert.match(machine.said, /\/oauth2\/v2\.0\/token/, 'the requests are told at this verbosity');
    for (const [name, secret] of secrets) {
      assert.ok(secret.length > 20, `this ${name} is too short to be looked for`);
      for (const shape of [secret, encodeURIComponent(secret)]) {
        assert.ok(!machine.said.includes(shape), `a ${name} is shown:\n${machine.said}`);
      }
    }
  });
  await t.test('the provider itself had no fault', () => assert.deepEqual(entra.faults, []));
}
