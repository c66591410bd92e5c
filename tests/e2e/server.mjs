// Web servers on this machine, and the addresses of Microsoft Entra ID in front of the provider.

import { createServer } from 'node:http';
import { once } from 'node:events';

import { createProvider } from './provider.mjs';

export const TENANT = '0f5f2d9c-7a43-4a52-9b0e-6d1c35a1e2b7';

// A sign-in that names no tenant goes to `organizations`; its renewals go to the tenant that the token names.
const TENANTS = ['organizations', TENANT];

// Listens on a port that is free, until the test ends.
export async function listen(t) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

// Answers with JSON.
export function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

// Serves the provider where Entra's endpoints are, below each tenant's name.
export async function startEntra(t) {
  const { server, url } = await listen(t);
  const entra = await createProvider(url, TENANT);
  const serve = entra.provider.callback();
  server.on('request', (request, response) => {
    const [, tenant, rest] = /^\/([^/?]+)(\/.*)$/.exec(request.url) ?? [];
    if (!TENANTS.includes(tenant)) {
      answer(response, 404, { error: 'invalid_request', error_description: 'AADSTS90002: no such tenant' });
      return;
    }
    request.url = asTheProviderKnowsIt(rest);
    // The provider finds out from the difference below which path it is mounted.
    request.originalUrl = `/${tenant}${request.url}`;
    serve(request, response);
  });
  return Object.assign(entra, { url, keys: `${url}/organizations/discovery/v2.0/keys` });
}

// Entra lets a person choose among accounts, and grants offline access without being asked for consent; the provider
// has no choice of accounts, and follows OpenID Connect Core, section 11, which wants consent for offline access.
function asTheProviderKnowsIt(address) {
  const url = new URL(address, 'http://localhost');
  if (url.pathname === '/oauth2/v2.0/authorize' && url.searchParams.get('prompt') === 'select_account') {
    url.searchParams.set('prompt', 'consent');
  }
  return `${url.pathname}${url.search}`;
}
