// Renewing a sign-in at a provider that gives a new refresh token for each one, and takes the old one for stolen.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CLIENT_ID } from './provider.mjs';
import { TENANT } from './server.mjs';
import { begin, end, signIn } from './scenario.mjs';

// Seconds; less than the five minutes before its end from which on a token is not used any more.
const ALMOST_OVER = 240;

const LIST = ['products', 'list', '-o', 'json'];

// Presents a refresh token as whoever had stolen it would.
async function replay(entra, token) {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: token });
  const response = await fetch(`${entra.url}/${TENANT}/oauth2/v2.0/token`, { method: 'POST', body });
  return { status: response.status, answer: await response.json() };
}

test('a sign-in is renewed with one refresh token after the other, until one is replayed', async (t) => {
  const story = await begin(t);
  const { entra, machine, commerce } = story;
  const renewals = () => entra.tokenRequests('refresh_token');
  await signIn(story);
  const first = (await machine.saved()).refreshToken;

  await t.test('a token that is good for an hour is used as it is', async () => {
    (await machine.run(LIST)).expectCode(0);
    assert.equal(renewals().length, 0);
  });
  await t.test('a token that the endpoint refuses is renewed, and the request made again', async () => {
    commerce.refuseOnce = true;
    entra.lifetime = ALMOST_OVER;
    assert.equal((await machine.run(LIST)).expectCode(0).json().length, 3);
    assert.deepEqual(commerce.refused, ['the token was revoked']);
    assert.deepEqual(renewals().map(({ form, status }) => [form.refresh_token, status]), [[first, 200]]);
    assert.equal(commerce.served.at(-1).claims.token, renewals()[0].answer.access_token);
  });
  await t.test('the new refresh token is saved in the place of the old one', async () => {
    const { refreshToken } = await machine.saved();
    assert.notEqual(refreshToken, first);
    assert.equal(refreshToken, renewals()[0].answer.refresh_token);
  });
  await t.test('a token that ends within five minutes is renewed first, with the new refresh token', async () => {
    const [before, refused] = [(await machine.saved()).refreshToken, commerce.refused.length];
    (await machine.run(LIST)).expectCode(0);
    assert.equal(renewals().length, 2);
    assert.equal(renewals()[1].form.refresh_token, before);
    assert.equal(renewals()[1].tenantAsked, TENANT, 'the tenant that the token named when it was issued');
    assert.equal((await machine.saved()).refreshToken, renewals()[1].answer.refresh_token);
    assert.equal(commerce.served.at(-1).claims.token, renewals()[1].answer.access_token);
    assert.equal(commerce.refused.length, refused, 'the endpoint had nothing to refuse');
  });
  await t.test('commands at the same time never present one refresh token twice', async () => {
    const listings = await Promise.all([1, 2, 3, 4].map(() => machine.run(LIST)));
    listings.forEach((listing) => listing.expectCode(0));
    const presented = renewals().map(({ form }) => form.refresh_token);
    assert.equal(presented.length, 6, 'two before, and one by each, which found a token that was almost over');
    assert.equal(new Set(presented).size, presented.length);
    assert.ok(renewals().every(({ status }) => status === 200));
  });

  await t.test('the first refresh token is refused when it is presented again', async () => {
    const { status, answer } = await replay(entra, first);
    assert.deepEqual([status, answer.error], [400, 'invalid_grant']);
  });
  await t.test('the executable is then told to connect again, and ends with 4', async () => {
    const [before, served] = [renewals().length, commerce.served.length];
    const listing = (await machine.run(LIST)).expectCode(4);
    assert.equal(listing.stdout, '');
    assert.match(listing.stderr, /error: could not renew the saved sign-in/);
    assert.match(listing.stderr, /\(invalid_grant\)/);
    assert.match(listing.stderr, /^hint: mscommerce connect$/m);
    assert.equal(renewals().length, before + 1, 'a refusal is not tried again');
    assert.equal(commerce.served.length, served, 'the endpoint was not asked');
  });
  await t.test('connecting again is all that it takes', async () => {
    entra.lifetime = 3600;
    await signIn(story);
    (await machine.run(LIST)).expectCode(0);
  });
  await end(t, story, ['code', 'code_verifier', 'access_token', 'refresh_token', 'id_token']);
});
