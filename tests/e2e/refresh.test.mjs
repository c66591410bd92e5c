// Token refresh with refresh token rotation: the provider treats a reused refresh token as stolen.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CLIENT_ID } from './provider.mjs';
import { TENANT } from './server.mjs';
import { startScenario, finishScenario, signIn } from './scenario.mjs';

const LIST = ['products', 'list', '-o', 'json'];

// Redeems a refresh token like an attacker who has stolen it.
async function replay(entra, token) {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: token });
  const response = await fetch(`${entra.url}/${TENANT}/oauth2/v2.0/token`, { method: 'POST', body });
  return { status: response.status, body: await response.json() };
}

test('refresh token rotation and replay', async (t) => {
  const scenario = await startScenario(t);
  const { entra, env, commerce } = scenario;
  const refreshes = () => entra.tokenRequests('refresh_token');
  await signIn(scenario);
  const first = (await env.cachedSignIn()).refreshToken;

  await t.test('a token with an hour left is used without a refresh', async () => {
    (await env.run(LIST)).expectCode(0);
    assert.equal(refreshes().length, 0);
  });
  await t.test('after a 401 the token is refreshed and the request retried', async () => {
    commerce.rejectOnce = true;
    assert.equal((await env.run(LIST)).expectCode(0).json().length, 3);
    assert.deepEqual(commerce.rejected, ['the token was revoked']);
    assert.deepEqual(refreshes().map(({ form, status }) => [form.refresh_token, status]), [[first, 200]]);
    assert.equal(commerce.accepted.at(-1).claims.token, refreshes()[0].response.access_token);
  });
  await t.test('the new refresh token replaces the old one in the cache', async () => {
    const { refreshToken } = await env.cachedSignIn();
    assert.notEqual(refreshToken, first);
    assert.equal(refreshToken, refreshes()[0].response.refresh_token);
  });
  await t.test('a token that expires within five minutes is refreshed first, with the new refresh token', async () => {
    await env.expireTokenSoon();
    const [before, rejected] = [(await env.cachedSignIn()).refreshToken, commerce.rejected.length];
    (await env.run(LIST)).expectCode(0);
    assert.equal(refreshes().length, 2);
    assert.equal(refreshes()[1].form.refresh_token, before);
    assert.equal(refreshes()[1].requestedTenant, TENANT, 'not the tenant in the claims of the token');
    assert.equal((await env.cachedSignIn()).refreshToken, refreshes()[1].response.refresh_token);
    assert.equal(commerce.accepted.at(-1).claims.token, refreshes()[1].response.access_token);
    assert.equal(commerce.rejected.length, rejected, 'the endpoint rejected a request');
  });
  await t.test('concurrent commands never redeem one refresh token twice', async () => {
    await env.expireTokenSoon();
    const listings = await Promise.all([1, 2, 3, 4].map(() => env.run(LIST)));
    listings.forEach((listing) => listing.expectCode(0));
    const redeemed = refreshes().map(({ form }) => form.refresh_token);
    assert.equal(redeemed.length, 3, 'expected two earlier refreshes and one for all commands together');
    assert.equal(new Set(redeemed).size, redeemed.length);
    assert.ok(refreshes().every(({ status }) => status === 200));
  });

  await t.test('the first refresh token is rejected when it is reused', async () => {
    const { status, body } = await replay(entra, first);
    assert.deepEqual([status, body.error], [400, 'invalid_grant']);
  });
  await t.test('after the replay, product list exits with 4 and suggests connect', async () => {
    await env.expireTokenSoon();
    const [before, accepted] = [refreshes().length, commerce.accepted.length];
    const listing = (await env.run(LIST)).expectCode(4);
    assert.equal(listing.stdout, '');
    assert.match(listing.stderr, /error: could not refresh the saved sign-in/);
    assert.match(listing.stderr, /\(invalid_grant\)/);
    assert.match(listing.stderr, /^hint: mscommerce connect$/m);
    assert.equal(refreshes().length, before + 1, 'the rejected refresh was retried');
    assert.equal(commerce.accepted.length, accepted, 'a request was sent to the endpoint');
  });
  await t.test('a new sign-in restores access', async () => {
    await signIn(scenario);
    (await env.run(LIST)).expectCode(0);
  });
  await finishScenario(t, scenario, ['code', 'code_verifier', 'access_token', 'refresh_token', 'id_token']);
});
