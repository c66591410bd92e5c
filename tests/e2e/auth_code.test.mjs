// `connect` by the browser: authorization code with PKCE, answered by a form that is posted to the executable.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { decodeJwt, generateKeyPair, SignJWT } from 'jose';

import { cancel, consent, giveName, isOfTheExecutable, landing, photograph } from './browser.mjs';
import { CLIENT_ID, RESOURCE } from './provider.mjs';
import { TENANT } from './server.mjs';
import { ACCOUNT, begin, end } from './scenario.mjs';

test('a person signs in with the browser, and changes a setting', async (t) => {
  const story = await begin(t);
  const { entra, commerce, machine, person } = story;
  const { page } = person;

  const opener = await machine.browserThatWrites();
  const connecting = machine.start(['connect'], { BROWSER: opener.script });
  const address = new URL(await connecting.address());
  const asked = address.searchParams;

  await t.test('the browser is told to open the address that is printed', async () => {
    assert.equal(await opener.address(), address.href);
  });
  await t.test('the provider refuses the same address without its PKCE challenge', async () => {
    const bare = new URL(address);
    bare.searchParams.delete('code_challenge');
    bare.searchParams.delete('code_challenge_method');
    // Nothing submits the form that comes back, so that the executable hears nothing of it.
    const refusal = await (await fetch(bare)).text();
    assert.match(refusal, /name="error" value="invalid_request"/);
    assert.match(refusal, /PKCE/);
  });
  await t.test('the provider refuses another path than the one that is registered', async () => {
    const elsewhere = new URL(address);
    elsewhere.searchParams.set('redirect_uri', asked.get('redirect_uri').replace('/m365/commerce', '/elsewhere'));
    assert.match(await (await fetch(elsewhere)).text(), /invalid_redirect_uri/);
  });

  await page.goto(address.href);
  await giveName(page, ACCOUNT);
  await consent(page);
  const text = await landing(page);

  await t.test('the browser ends on a page that says who is signed in, and where', () => {
    for (const part of ['You are signed in', ACCOUNT, TENANT, 'You can close this window']) {
      assert.ok(text.includes(part), `${part} is missing:\n${text}`);
    }
  });
  await t.test('the page has its style, and Chromium complains about nothing', async (check) => {
    check.diagnostic(`a picture of the page: ${await photograph(page, 'signed-in')}`);
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).display), 'grid');
    assert.deepEqual(person.complaints, []);
  });
  await t.test('the executable ends with 0 and names the account', async () => {
    (await connecting.ended()).expectCode(0);
    assert.match(connecting.stderr, new RegExp(`Signed in as ${ACCOUNT} to the tenant ${TENANT}\\.`));
    assert.equal(connecting.stdout, '');
  });

  const [exchange, ...others] = entra.tokenRequests();
  const brought = person.requests.filter((request) => isOfTheExecutable(request.url()));
  await t.test('the code came in one posted form, with the state, and in no address', () => {
    assert.deepEqual(brought.map((request) => request.method()), ['POST']);
    assert.equal(brought[0].url(), asked.get('redirect_uri'));
    const form = new URLSearchParams(brought[0].postData());
    assert.equal(form.get('state'), asked.get('state'));
    assert.equal(form.get('code'), exchange.form.code);
    assert.ok(form.get('code').length > 20);
    const addresses = person.requests.map((request) => request.url());
    assert.ok(addresses.every((url) => !url.includes(form.get('code'))), addresses.join('\n'));
  });
  await t.test('the code is redeemed once, with the verifier that belongs to the challenge', () => {
    assert.deepEqual(others, []);
    assert.deepEqual([exchange.status, exchange.tenantAsked], [200, 'organizations']);
    assert.equal(exchange.form.grant_type, 'authorization_code');
    assert.equal(exchange.form.client_id, CLIENT_ID);
    assert.equal(asked.get('code_challenge_method'), 'S256');
    const challenge = createHash('sha256').update(exchange.form.code_verifier).digest('base64url');
    assert.equal(challenge, asked.get('code_challenge'));
  });
  await t.test('status names the account, the tenant and the way', async () => {
    const status = (await machine.run(['status', '-o', 'json'])).expectCode(0).json();
    assert.deepEqual([status.account, status.tenantId, status.method], [ACCOUNT, TENANT, 'browser']);
  });
  await t.test('the saved tokens are the ones that the provider issued', async () => {
    const saved = await machine.saved();
    assert.equal(saved.refreshToken, exchange.answer.refresh_token);
    assert.equal(saved.tenants[TENANT].accessToken, exchange.answer.access_token);
  });

  await t.test('an endpoint that verifies the token by the keys of the provider lists the products', async () => {
    const products = (await machine.run(['products', 'list', '-o', 'json'])).expectCode(0).json();
    assert.deepEqual(
      products.map(({ id, policyValue }) => [id, policyValue]).sort(),
      [
        ['CFQ7TTC0H9MP', 'Enabled'],
        ['CFQ7TTC0HD33', 'Disabled'],
        ['CFQ7TTC0HDB1', 'OnlyTrialsWithoutPaymentMethod'],
      ],
    );
    const { claims } = commerce.served.at(-1);
    assert.deepEqual([claims.sub, claims.tid, claims.aud], [ACCOUNT, TENANT, RESOURCE]);
  });
  await t.test('a product is changed, and a second look shows the new value', async () => {
    const update = ['product', 'update', 'power bi pro', '--value', 'disabled', '-o', 'json'];
    const { outcome, previousValue, policyValue } = (await machine.run(update)).expectCode(0).json();
    assert.deepEqual([outcome, previousValue, policyValue], ['changed', 'Enabled', 'Disabled']);
    const product = (await machine.run(['product', 'get', 'CFQ7TTC0H9MP', '-o', 'json'])).expectCode(0).json();
    assert.equal(product.policyValue, 'Disabled');
    const puts = commerce.served.filter(({ method }) => method === 'PUT').map(({ path }) => path);
    assert.deepEqual(puts, ['/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP']);
  });
  await t.test('every request has a correlation id of its own', () => {
    const ids = commerce.served.map(({ correlationId }) => correlationId);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.length > 3);
  });
  await t.test('the same claims signed by another key are refused, and the executable ends with 4', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const claims = new SignJWT(decodeJwt(exchange.answer.access_token));
    const forged = await claims.setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'e2e' }).sign(privateKey);
    const before = commerce.served.length;
    const listing = await machine.run(['products', 'list'], { MSCOMMERCE_TOKEN: forged });
    listing.expectCode(4);
    assert.match(listing.stderr, /401/);
    assert.deepEqual(commerce.refused, ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED']);
    assert.equal(commerce.served.length, before);
    assert.ok(!machine.said.includes(forged), 'the forged token is not shown either');
  });

  await end(t, story, ['code', 'code_verifier', 'access_token', 'refresh_token', 'id_token']);
});

test('answers that do not belong to the sign-in are refused, and it still completes', async (t) => {
  const story = await begin(t);
  const { entra, machine, person: { page } } = story;
  const connecting = machine.start(['connect', '--no-browser']);
  const address = await connecting.address();
  const redirect = new URL(address).searchParams.get('redirect_uri');
  const state = new URL(address).searchParams.get('state');

  // Has the browser post a form, as a page of somebody else's would.
  async function post(fields) {
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
    await page.setContent(`<form method="post" action="${redirect}">${inputs.join('')}<button>Post</button></form>`);
    const [response] = await Promise.all([
      page.waitForResponse((response) => isOfTheExecutable(response.url())),
      page.getByRole('button', { name: 'Post' }).click(),
    ]);
    return { status: response.status(), text: await landing(page) };
  }

  for (const [what, fields] of [
    ['a code with another state', { code: 'forged', state: `${state}x` }],
    ['a code without a state', { code: 'forged' }],
    ['a refusal with another state', { error: 'access_denied', state: 'forged' }],
  ]) {
    await t.test(`${what} is refused, on a page that says so`, async () => {
      const { status, text } = await post(fields);
      assert.equal(status, 400);
      assert.match(text, /This answer does not belong to the sign-in/);
    });
  }
  await t.test('a code in the address is refused even with the right state', async () => {
    const response = await page.goto(`${redirect}?${new URLSearchParams({ code: 'forged', state })}`);
    assert.equal(response.status(), 400);
  });
  await t.test('nothing of it was redeemed, and the executable goes on waiting', () => {
    assert.deepEqual(entra.exchanges, []);
    assert.equal(connecting.code, undefined);
  });
  await t.test('the person signs in all the same', async () => {
    await page.goto(address);
    await giveName(page, ACCOUNT);
    await consent(page);
    assert.match(await landing(page), /You are signed in/);
    (await connecting.ended()).expectCode(0);
  });
  await end(t, story, ['code', 'code_verifier', 'access_token', 'refresh_token', 'id_token']);
});

test('a person who cancels is not signed in', async (t) => {
  const story = await begin(t);
  const { entra, machine, person: { page } } = story;
  for (const [where, until] of [
    ['before giving a name', async () => {}],
    [
      'when asked for consent',
      async () => {
        await giveName(page, ACCOUNT);
        await page.getByRole('heading', { name: 'Authorize' }).waitFor();
      },
    ],
  ]) {
    await t.test(`cancelled ${where}, the page and the executable say so, and it ends with 4`, async (check) => {
      const connecting = machine.start(['connect', '--no-browser']);
      await page.goto(await connecting.address());
      await until();
      await cancel(page);
      const text = await landing(page);
      check.diagnostic(`a picture of the page: ${await photograph(page, `cancelled ${where}`.replaceAll(' ', '-'))}`);
      for (const part of ['You are not signed in', 'declined', 'access_denied', 'Nothing was saved']) {
        assert.ok(text.includes(part), `${part} is missing:\n${text}`);
      }
      (await connecting.ended()).expectCode(4);
      assert.match(connecting.stderr, /error: could not sign in: it was declined/);
      assert.match(connecting.stderr, /hint: mscommerce connect/);
    });
  }
  await t.test('nothing was redeemed, and nobody is signed in', async () => {
    assert.deepEqual(entra.exchanges, []);
    (await machine.run(['status'])).expectCode(4);
  });
  await t.test('the provider itself had no fault', () => assert.deepEqual(entra.faults, []));
});
