// `connect` with the browser: authorization code with PKCE; the response is a form posted to the executable.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { decodeJwt, generateKeyPair, SignJWT } from 'jose';

import { cancel, consent, signInAs, isRedirectUrl, landingText, takeScreenshot } from './browser.mjs';
import { CLIENT_ID, RESOURCE } from './provider.mjs';
import { TENANT } from './server.mjs';
import { ACCOUNT, startScenario, finishScenario } from './scenario.mjs';

test('browser sign-in: sign in, list and update', async (t) => {
  const scenario = await startScenario(t);
  const { entra, commerce, env, user } = scenario;
  const { page } = user;

  const fakeBrowser = await env.fakeBrowser();
  const connect = env.start(['connect'], { BROWSER: fakeBrowser.script });
  const address = new URL(await connect.signInUrl());
  const authorization = address.searchParams;

  await t.test('the browser opens the printed URL', async () => {
    assert.equal(await fakeBrowser.address(), address.href);
  });
  await t.test('the provider rejects the URL without the PKCE challenge', async () => {
    const withoutPkce = new URL(address);
    withoutPkce.searchParams.delete('code_challenge');
    withoutPkce.searchParams.delete('code_challenge_method');
    // The returned form is not submitted, so the executable does not receive it.
    const errorPage = await (await fetch(withoutPkce)).text();
    assert.match(errorPage, /name="error" value="invalid_request"/);
    assert.match(errorPage, /PKCE/);
  });
  await t.test('the provider rejects a redirect path that is not registered', async () => {
    const otherPath = new URL(address);
    otherPath.searchParams.set('redirect_uri', authorization.get('redirect_uri').replace('/m365/commerce', '/elsewhere'));
    assert.match(await (await fetch(otherPath)).text(), /invalid_redirect_uri/);
  });

  await page.goto(address.href);
  await signInAs(page, ACCOUNT);
  await consent(page);
  const text = await landingText(page);

  await t.test('the landing page shows the account and the tenant', () => {
    for (const part of ['You are signed in', ACCOUNT, TENANT, 'You can close this window']) {
      assert.ok(text.includes(part), `${part} is missing:\n${text}`);
    }
  });
  await t.test('the landing page is styled and has no console errors', async (check) => {
    check.diagnostic(`screenshot: ${await takeScreenshot(page, 'signed-in')}`);
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).display), 'grid');
    assert.deepEqual(user.consoleErrors, []);
  });
  await t.test('connect exits with 0 and names the account', async () => {
    (await connect.exited()).expectCode(0);
    assert.match(connect.stderr, new RegExp(`Signed in as ${ACCOUNT} to tenant ${TENANT}\\.`));
    assert.equal(connect.stdout, '');
  });

  const [exchange, ...others] = entra.tokenRequests();
  const redirects = user.requests.filter((request) => isRedirectUrl(request.url()));
  await t.test('the code arrives in one POST with the state, and in no URL', () => {
    assert.deepEqual(redirects.map((request) => request.method()), ['POST']);
    assert.equal(redirects[0].url(), authorization.get('redirect_uri'));
    const form = new URLSearchParams(redirects[0].postData());
    assert.equal(form.get('state'), authorization.get('state'));
    assert.equal(form.get('code'), exchange.form.code);
    assert.ok(form.get('code').length > 20);
    const addresses = user.requests.map((request) => request.url());
    assert.ok(addresses.every((url) => !url.includes(form.get('code'))), addresses.join('\n'));
  });
  await t.test('the code is redeemed once, with the verifier of the challenge', () => {
    assert.deepEqual(others, []);
    assert.deepEqual([exchange.status, exchange.requestedTenant], [200, 'organizations']);
    assert.equal(exchange.form.grant_type, 'authorization_code');
    assert.equal(exchange.form.client_id, CLIENT_ID);
    assert.equal(authorization.get('code_challenge_method'), 'S256');
    const challenge = createHash('sha256').update(exchange.form.code_verifier).digest('base64url');
    assert.equal(challenge, authorization.get('code_challenge'));
  });
  await t.test('status shows the account, the tenant and the method', async () => {
    const status = (await env.run(['status', '-o', 'json'])).expectCode(0).json();
    assert.deepEqual([status.account, status.tenantId, status.method], [ACCOUNT, TENANT, 'browser']);
  });
  await t.test('the cached tokens are those of the provider', async () => {
    const saved = await env.cachedSignIn();
    assert.equal(saved.refreshToken, exchange.response.refresh_token);
    assert.equal(saved.tenants[TENANT].accessToken, exchange.response.access_token);
  });

  await t.test('the endpoint verifies the token with the keys of the provider and lists the products', async () => {
    const products = (await env.run(['products', 'list', '-o', 'json'])).expectCode(0).json();
    assert.deepEqual(
      products.map(({ id, policyValue }) => [id, policyValue]).sort(),
      [
        ['CFQ7TTC0H9MP', 'Enabled'],
        ['CFQ7TTC0HD33', 'Disabled'],
        ['CFQ7TTC0HDB1', 'OnlyTrialsWithoutPaymentMethod'],
      ],
    );
    const { claims } = commerce.accepted.at(-1);
    assert.deepEqual([claims.sub, claims.tid, claims.aud], [ACCOUNT, TENANT, RESOURCE]);
  });
  await t.test('product update changes the value, and product get shows it', async () => {
    const update = ['product', 'update', 'power bi pro', '--value', 'disabled', '-o', 'json'];
    const { outcome, previousValue, policyValue } = (await env.run(update)).expectCode(0).json();
    assert.deepEqual([outcome, previousValue, policyValue], ['changed', 'Enabled', 'Disabled']);
    const product = (await env.run(['product', 'get', 'CFQ7TTC0H9MP', '-o', 'json'])).expectCode(0).json();
    assert.equal(product.policyValue, 'Disabled');
    const puts = commerce.accepted.filter(({ method }) => method === 'PUT').map(({ path }) => path);
    assert.deepEqual(puts, ['/v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP']);
  });
  await t.test('every request has its own correlation ID', () => {
    const ids = commerce.accepted.map(({ correlationId }) => correlationId);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.length > 3);
  });
  await t.test('a token signed with another key is rejected, and product list exits with 4', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const claims = new SignJWT(decodeJwt(exchange.response.access_token));
    const forged = await claims.setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'e2e' }).sign(privateKey);
    const before = commerce.accepted.length;
    const listing = await env.run(['products', 'list'], { MSCOMMERCE_TOKEN: forged });
    listing.expectCode(4);
    assert.match(listing.stderr, /401/);
    assert.deepEqual(commerce.rejected, ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED']);
    assert.equal(commerce.accepted.length, before);
    assert.ok(!env.output.includes(forged), 'the forged token is printed');
  });

  await finishScenario(t, scenario, ['code', 'code_verifier', 'access_token', 'refresh_token', 'id_token']);
});

test('browser sign-in: foreign responses are rejected, and the sign-in completes', async (t) => {
  const scenario = await startScenario(t);
  const { entra, env, user: { page } } = scenario;
  const connect = env.start(['connect', '--no-browser']);
  const address = await connect.signInUrl();
  const redirect = new URL(address).searchParams.get('redirect_uri');
  const state = new URL(address).searchParams.get('state');

  // Posts a form from the browser, like a page of another site.
  async function post(fields) {
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
    await page.setContent(`<form method="post" action="${redirect}">${inputs.join('')}<button>Post</button></form>`);
    const [response] = await Promise.all([
      page.waitForResponse((response) => isRedirectUrl(response.url())),
      page.getByRole('button', { name: 'Post' }).click(),
    ]);
    return { status: response.status(), text: await landingText(page) };
  }

  for (const [what, fields] of [
    ['a code with another state', { code: 'forged', state: `${state}x` }],
    ['a code without a state', { code: 'forged' }],
    ['an error with another state', { error: 'access_denied', state: 'forged' }],
  ]) {
    await t.test(`${what} is rejected with an error page`, async () => {
      const { status, text } = await post(fields);
      assert.equal(status, 400);
      assert.match(text, /This response does not belong to the current sign-in/);
    });
  }
  await t.test('a code in the URL is rejected even with the right state', async () => {
    const response = await page.goto(`${redirect}?${new URLSearchParams({ code: 'forged', state })}`);
    assert.equal(response.status(), 400);
  });
  await t.test('no code is redeemed, and connect keeps waiting', () => {
    assert.deepEqual(entra.exchanges, []);
    assert.equal(connect.code, undefined);
  });
  await t.test('the user can still sign in', async () => {
    await page.goto(address);
    await signInAs(page, ACCOUNT);
    await consent(page);
    assert.match(await landingText(page), /You are signed in/);
    (await connect.exited()).expectCode(0);
  });
  await finishScenario(t, scenario, ['code', 'code_verifier', 'access_token', 'refresh_token', 'id_token']);
});

test('browser sign-in: cancel', async (t) => {
  const scenario = await startScenario(t);
  const { entra, env, user: { page } } = scenario;
  for (const [where, until] of [
    ['before the user name', async () => {}],
    [
      'on the consent page',
      async () => {
        await signInAs(page, ACCOUNT);
        await page.getByRole('heading', { name: 'Authorize' }).waitFor();
      },
    ],
  ]) {
    await t.test(`cancel ${where}: the page and connect report it, and connect exits with 4`, async (check) => {
      const connect = env.start(['connect', '--no-browser']);
      await page.goto(await connect.signInUrl());
      await until();
      await cancel(page);
      const text = await landingText(page);
      check.diagnostic(`screenshot: ${await takeScreenshot(page, `cancel ${where}`.replaceAll(' ', '-'))}`);
      for (const part of ['Sign-in failed', 'declined', 'access_denied', 'Nothing was saved']) {
        assert.ok(text.includes(part), `${part} is missing:\n${text}`);
      }
      (await connect.exited()).expectCode(4);
      assert.match(connect.stderr, /error: could not sign in: the sign-in was declined/);
      assert.match(connect.stderr, /hint: mscommerce connect/);
    });
  }
  await t.test('no code is redeemed, and status exits with 4', async () => {
    assert.deepEqual(entra.exchanges, []);
    (await env.run(['status'])).expectCode(4);
  });
  await t.test('the provider had no server error', () => assert.deepEqual(entra.serverErrors, []));
});
