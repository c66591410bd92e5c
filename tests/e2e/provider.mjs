// The OpenID provider that stands in for Microsoft Entra ID, which decides by the standards what it accepts: only its
// settings are ours.

import { randomBytes } from 'node:crypto';

import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

export const CLIENT_ID = '3d5cffa9-04da-4657-8cab-c7f074657cad';
export const RESOURCE = 'aeb86249-8ea3-49e2-900b-54cc8e308f85';
export const PERMISSION = 'LicenseManager.AccessAsUser';

// What OAuth calls secret, wherever it stands in a request or an answer.
const SECRET = ['code', 'code_verifier', 'device_code', 'refresh_token', 'access_token', 'id_token'];

// The provider tells whoever starts it what a service for real people needs besides, which this one never becomes.
for (const level of ['info', 'warn']) {
  const tell = console[level];
  console[level] = (text, ...more) => {
    if (!/^oidc-provider .*(quick start development-only|default \S+ function called)/.test(text)) {
      tell(text, ...more);
    }
  };
}

// Makes the provider. `exchanges` is what the token and device code endpoints were asked and answered, `faults` what
// broke in the provider itself; `lifetime` and `patience` are how many seconds the next access tokens and device codes
// are good for.
export async function createProvider(issuer, tenant) {
  const entra = { exchanges: [], faults: [], lifetime: 3600, patience: 900 };
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'e2e' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clients: [
      {
        client_id: CLIENT_ID,
        client_name: 'MSCommerce',
        // A public client of a machine: no secret, and any port of the registered redirect (RFC 8252, section 7.3).
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['http://localhost/m365/commerce'],
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      },
    ],
    routes: {
      authorization: '/oauth2/v2.0/authorize',
      token: '/oauth2/v2.0/token',
      device_authorization: '/oauth2/v2.0/devicecode',
      code_verification: '/oauth2/deviceauth',
      jwks: '/discovery/v2.0/keys',
    },
    scopes: ['openid', 'offline_access', 'profile'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `api://${RESOURCE}`,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: `${RESOURCE}/.default`,
          audience: RESOURCE,
          accessTokenTTL: entra.lifetime,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer.accessTokenTTL,
      DeviceCode: () => entra.patience,
      Grant: 3600,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 3600,
      Session: 3600,
    },
    findAccount: (_ctx, account) => ({
      accountId: account,
      claims: () => ({ sub: account, name: account, preferred_username: account }),
    }),
    // What Entra's access tokens say besides what RFC 9068 has them say.
    extraTokenClaims: (_ctx, token) => ({
      tid: tenant,
      upn: token.accountId,
      appid: token.clientId,
      scp: PERMISSION,
      ver: '1.0',
    }),
  });

  provider.use(async (ctx, next) => {
    await next();
    if (['token', 'device_authorization'].includes(ctx.oidc?.route)) {
      const { route, body } = ctx.oidc;
      const [, tenantAsked] = ctx.req.originalUrl.split('/');
      entra.exchanges.push({ route, tenantAsked, form: { ...body }, status: ctx.status, answer: { ...ctx.body } });
    }
  });
  provider.on('server_error', (_ctx, error) => entra.faults.push(error));
  // Five seconds between two polls are the rule where the answer does not say otherwise: nobody need wait so long here.
  provider.on('device_authorization.success', (_ctx, body) => Object.assign(body, { interval: 1 }));

  return Object.assign(entra, {
    provider,
    // What the token endpoint was asked for, and answered, by requests of this grant type.
    tokenRequests: (type) =>
      entra.exchanges.filter(({ route, form }) => route === 'token' && (!type || form.grant_type === type)),
    // Every secret that has gone either way, with its name.
    secrets: () =>
      entra.exchanges.flatMap(({ form, answer }) =>
        [form, answer].flatMap((said) => SECRET.filter((name) => said[name]).map((name) => [name, said[name]])),
      ),
  });
}
