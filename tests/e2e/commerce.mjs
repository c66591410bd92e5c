// A policy endpoint that verifies access tokens with the provider's published keys.

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { PERMISSION, RESOURCE } from './provider.mjs';
import { sendJson, listen } from './server.mjs';

const POLICY = 'AllowSelfServicePurchase';
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const VALUES = ['Enabled', 'Disabled', 'OnlyTrialsWithoutPaymentMethod'];

// Serves the policy and a few products. `accepted` are the authorized requests, `rejected` the reasons of 401 responses.
export async function startCommerce(t, entra) {
  const { server, url } = await listen(t);
  const keys = createRemoteJWKSet(new URL(entra.keys));
  const products = new Map([
    ['CFQ7TTC0H9MP', { productName: 'Power BI Pro', policyValue: 'Enabled' }],
    ['CFQ7TTC0HD33', { productName: 'Visio Plan 1', policyValue: 'Disabled' }],
    ['CFQ7TTC0HDB1', { productName: 'Planner Plan 1', policyValue: 'OnlyTrialsWithoutPaymentMethod' }],
  ]);
  const commerce = { url, accepted: [], rejected: [], rejectOnce: false };

  async function authorize(request) {
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const options = { issuer: entra.url, audience: RESOURCE, typ: 'at+jwt', algorithms: ['RS256'] };
    const { payload } = await jwtVerify(token ?? '', keys, options);
    if (payload.scp !== PERMISSION) {
      throw new Error('the token has no permission for this service');
    }
    if (commerce.rejectOnce) {
      commerce.rejectOnce = false;
      throw new Error('the token was revoked');
    }
    return { ...payload, token };
  }

  async function respond(request) {
    let claims;
    try {
      claims = await authorize(request);
    } catch (error) {
      commerce.rejected.push(error.code ?? error.message);
      return [401, { errorCode: 'Unauthorized', reason: 'The token is not accepted.' }];
    }
    const { method, headers } = request;
    const { pathname, searchParams } = new URL(request.url, url);
    const correlationId = headers['x-ms-correlation-id'];
    commerce.accepted.push({ method, path: pathname, correlationId, claims });
    if (!GUID.test(correlationId ?? '')) {
      return [400, { errorCode: 'BadRequest', reason: 'Missing correlation id.' }];
    }
    const item = (id) => ({ policyId: POLICY, scope: 'Product', productId: id, ...products.get(id) });
    const list = `/v1.0/policies/${POLICY}/products`;
    if (method === 'GET' && pathname === list) {
      return searchParams.get('scope') === 'product'
        ? [200, { items: [...products.keys()].map(item) }]
        : [400, { errorCode: 'BadRequest', reason: 'Invalid scope.' }];
    }
    const id = pathname.startsWith(`${list}/`) ? pathname.slice(list.length + 1) : undefined;
    if (!products.has(id) || !['GET', 'PUT'].includes(method)) {
      return [404, { errorCode: 'NotFound', reason: 'No such resource.' }];
    }
    if (method === 'PUT') {
      const body = await readJson(request);
      if (headers['content-type'] !== 'application/json' || !VALUES.includes(body?.policyValue)) {
        return [400, { errorCode: 'BadRequest', reason: 'Invalid policy value.' }];
      }
      products.get(id).policyValue = body.policyValue;
    }
    return [200, item(id)];
  }

  server.on('request', async (request, response) => sendJson(response, ...(await respond(request))));
  return commerce;
}

async function readJson(request) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += part;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
