// `connect --device-code`: the code is entered in an independent browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cancel, consent, enterCode, signInAs } from './browser.mjs';
import { TENANT } from './server.mjs';
import { ACCOUNT, startScenario, finishScenario } from './scenario.mjs';
import { eventually } from './test_env.mjs';

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

// Starts `connect` and reads the URL and the code from its output.
async function requestCode(env) {
  const connect = env.start(['connect', '--device-code']);
  const [, address, code] = await connect.waitForStderr(/open (http\S+) on any device and enter the code\s+(\S+)\s/);
  return { connect, address, code };
}

test('device code: sign in and list', async (t) => {
  const scenario = await startScenario(t);
  const { entra, commerce, env, user: { page } } = scenario;
  const { connect, address, code } = await requestCode(env);

  await t.test('the printed code and URL are those of the provider', () => {
    const [{ route, response }] = entra.exchanges;
    assert.equal(route, 'device_authorization');
    assert.deepEqual([address, code], [response.verification_uri, response.user_code]);
  });
  await t.test('the confirmation page shows the printed code', async () => {
    await enterCode(page, address, code);
    assert.ok((await page.locator('body').innerText()).includes(code));
  });
  await t.test('connect waits until the user has consented', async () => {
    await page.getByRole('button', { name: 'Continue' }).click();
    await signInAs(page, ACCOUNT);
    await page.getByRole('heading', { name: 'Authorize' }).waitFor();
    const errors = () => entra.tokenRequests(DEVICE_CODE).map(({ response }) => response.error);
    await eventually(() => assert.ok(errors().length > 1), 'connect did not poll twice');
    assert.ok(errors().every((error) => error === 'authorization_pending'), errors().join());
    assert.equal(connect.code, undefined);
  });
  await t.test('after the consent, connect exits with 0 and names the account', async () => {
    await consent(page);
    await page.getByRole('heading', { name: 'Sign-in Success' }).waitFor();
    (await connect.exited()).expectCode(0);
    assert.match(connect.stderr, new RegExp(`Signed in as ${ACCOUNT} to tenant ${TENANT}\\.`));
  });
  await t.test('status shows the account, the tenant and the method', async () => {
    const status = (await env.run(['status', '-o', 'json'])).expectCode(0).json();
    assert.deepEqual([status.account, status.tenantId, status.method], [ACCOUNT, TENANT, 'device-code']);
  });
  await t.test('the endpoint accepts the token', async () => {
    const products = (await env.run(['products', 'list', '-o', 'json'])).expectCode(0).json();
    assert.equal(products.length, 3);
    assert.equal(commerce.accepted.at(-1).claims.sub, ACCOUNT);
    assert.deepEqual(commerce.rejected, []);
  });
  await finishScenario(t, scenario, ['device_code', 'access_token', 'refresh_token', 'id_token']);
});

test('device code: cancel and expiry', async (t) => {
  const scenario = await startScenario(t);
  const { entra, env, user: { page } } = scenario;
  for (const [where, cancelThere] of [
    ['on the confirmation page', () => page.getByRole('button', { name: 'Abort' }).click()],
    [
      'on the sign-in page',
      async () => {
        await page.getByRole('button', { name: 'Continue' }).click();
        await cancel(page);
      },
    ],
  ]) {
    await t.test(`cancel ${where}: connect reports it and exits with 4`, async () => {
      const { connect, address, code } = await requestCode(env);
      await enterCode(page, address, code);
      await cancelThere();
      await page.getByText('The Sign-in request was interrupted').waitFor();
      (await connect.exited()).expectCode(4);
      assert.match(connect.stderr, /error: could not sign in: the sign-in was declined/);
      assert.match(connect.stderr, /hint: mscommerce connect/);
      assert.equal(entra.tokenRequests(DEVICE_CODE).at(-1).response.error, 'access_denied');
    });
  }
  await t.test('an expired code: connect reports it and exits with 4', async () => {
    entra.deviceCodeLifetime = 3;
    const { connect } = await requestCode(env);
    (await connect.exited()).expectCode(4);
    assert.match(connect.stderr, /error: could not sign in: the code has expired/);
    assert.match(connect.stderr, /hint: mscommerce connect --device-code/);
  });
  await t.test('status exits with 4', async () => {
    (await env.run(['status'])).expectCode(4);
  });
  await finishScenario(t, scenario, ['device_code']);
});
