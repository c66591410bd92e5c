// `connect --device-code`: the code is entered in a browser that knows nothing of the executable.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cancel, consent, enterCode, giveName } from './browser.mjs';
import { TENANT } from './server.mjs';
import { ACCOUNT, begin, end } from './scenario.mjs';
import { eventually } from './test_env.mjs';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

// Starts the executable, and reads the address and the code as a person would.
async function askForCode(machine) {
  const connecting = machine.start(['connect', '--device-code']);
  const [, address, code] = await connecting.said(/open (http\S+) on any device and enter the code\s+(\S+)\s/);
  return { connecting, address, code };
}

test('a person enters the code in a browser', async (t) => {
  const story = await begin(t);
  const { entra, commerce, machine, person: { page } } = story;
  const { connecting, address, code } = await askForCode(machine);

  await t.test('the code and the address are those that the provider gave', () => {
    const [{ route, answer }] = entra.exchanges;
    assert.equal(route, 'device_authorization');
    assert.deepEqual([address, code], [answer.verification_uri, answer.user_code]);
  });
  await t.test('the provider asks about the very code that the executable shows', async () => {
    await enterCode(page, address, code);
    assert.ok((await page.locator('body').innerText()).includes(code));
  });
  await t.test('the executable waits as long as the person has not consented', async () => {
    await page.getByRole('button', { name: 'Continue' }).click();
    await giveName(page, ACCOUNT);
    await page.getByRole('heading', { name: 'Authorize' }).waitFor();
    const answers = () => entra.tokenRequests(DEVICE_CODE).map(({ answer }) => answer.error);
    await eventually(() => assert.ok(answers().length > 1), 'the executable did not ask twice');
    assert.ok(answers().every((error) => error === 'authorization_pending'), answers().join());
    assert.equal(connecting.code, undefined);
  });
  await t.test('it ends with 0 when the person has consented, and names the account', async () => {
    await consent(page);
    await page.getByRole('heading', { name: 'Sign-in Success' }).waitFor();
    (await connecting.ended()).expectCode(0);
    assert.match(connecting.stderr, new RegExp(`Signed in as ${ACCOUNT} to the tenant ${TENANT}\\.`));
  });
  await t.test('status names the account, the tenant and the way', async () => {
    const status = (await machine.run(['status', '-o', 'json'])).expectCode(0).json();
    assert.deepEqual([status.account, status.tenantId, status.method], [ACCOUNT, TENANT, 'device-code']);
  });
  await t.test('the endpoint takes the token', async () => {
    const products = (await machine.run(['products', 'list', '-o', 'json'])).expectCode(0).json();
    assert.equal(products.length, 3);
    assert.equal(commerce.served.at(-1).claims.sub, ACCOUNT);
    assert.deepEqual(commerce.refused, []);
  });
  await end(t, story, ['device_code', 'access_token', 'refresh_token', 'id_token']);
});

test('a person who turns the code down, or does not come, is not signed in', async (t) => {
  const story = await begin(t);
  const { entra, machine, person: { page } } = story;
  for (const [where, turnDown] of [
    ['when asked whether it is the code', () => page.getByRole('button', { name: 'Abort' }).click()],
    [
      'when asked for a name',
      async () => {
        await page.getByRole('button', { name: 'Continue' }).click();
        await cancel(page);
      },
    ],
  ]) {
    await t.test(`turned down ${where}, the executable says so and ends with 4`, async () => {
      const { connecting, address, code } = await askForCode(machine);
      await enterCode(page, address, code);
      await turnDown();
      await page.getByText('The Sign-in request was interrupted').waitFor();
      (await connecting.ended()).expectCode(4);
      assert.match(connecting.stderr, /error: could not sign in: it was declined/);
      assert.match(connecting.stderr, /hint: mscommerce connect/);
      assert.equal(entra.tokenRequests(DEVICE_CODE).at(-1).answer.error, 'access_denied');
    });
  }
  await t.test('a code that nobody enters in time expires, and the executable ends with 4', async () => {
    entra.patience = 3;
    const { connecting } = await askForCode(machine);
    (await connecting.ended()).expectCode(4);
    assert.match(connecting.stderr, /error: could not sign in: the code has expired/);
    assert.match(connecting.stderr, /hint: mscommerce connect --device-code/);
  });
  await t.test('nobody is signed in', async () => {
    (await machine.run(['status'])).expectCode(4);
  });
  await end(t, story, ['device_code']);
});
