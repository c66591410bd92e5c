// Local HTTP servers, and the provider at the paths of Microsoft Entra ID.

import { createServer } from 'node:http';
import { once } from 'node:events';

import { createProvider } from './provider.mjs';

export const TENANT = '0f5f2d9c-7a43-4a52-9b0e-6d1c35a1e2b7';

// A sign-in without a tenant uses `organizations`; refreshes use the tenant in the token.
const TENANTS = ['organizations', TENANT];

// Listens on a free port until the end of the test.
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

// Sends a JSON response.
export function sendJson(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

// Starts the provider, with Entra's endpoints below each tenant.
export async function startEntra(t) {
  const { server, url } = await listen(t);
  const entra = await createProvider(url, TENANT);
  const handle = entra.provider.callback();
  server.on('request', (request, response) => {
    const [, tenant, rest] = /^\/([^/?]+)(\/.*)$/.exec(request.url) ?? [];
    if (!TENANTS.includes(tenant)) {
      sendJson(response, 404, { error: 'invalid_request', error_description: 'AADSTS90002: no such tenant' });
      return;
    }
    request.url = toProviderUrl(rest);
    // The provider derives its mount path from the difference between the two URLs.
    request.originalUrl = `/${tenant}${request.url}`;
    handle(request, response);
  });
  return Object.assign(entra, { url, keys: `${url}/organizations/discovery/v2.0/keys` });
}

// Entra supports `prompt=select_account` and grants offline access without `prompt=consent`. The provider does not support
// the first and requires the second (OpenID Connect Core, section 11).
function toProviderUrl(address) {
  const url = new URL(address, 'http://localhost');
  if (url.pathname === '/oauth2/v2.0/authorize' && url.searchParams.get('prompt') === 'select_account') {
    url.searchParams.set('prompt', 'consent');
  }
  return `${url.pathname}${url.search}`;
}
