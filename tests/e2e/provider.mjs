// The OpenID provider in place of Microsoft Entra ID. It follows the standards; only its configuration is ours.

import { randomBytes } from 'node:crypto';

import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

export const CLIENT_ID = '3d5cffa9-04da-4657-8cab-c7f074657cad';
export const RESOURCE = 'aeb86249-8ea3-49e2-900b-54cc8e308f85';
export const PERMISSION = 'LicenseManager.AccessAsUser';

// Secret parameters of OAuth requests and responses.
const SECRET_PARAMETERS = ['code', 'code_verifier', 'device_code', 'refresh_token', 'access_token', 'id_token'];

// Suppresses the provider's warnings about settings for production.
for (const level of ['info', 'warn']) {
  const log = console[level];
  console[level] = (text, ...more) => {
    if (!/^oidc-provider .*(quick start development-only|default \S+ function called)/.test(text)) {
      log(text, ...more);
    }
  };
}

// Creates the provider. `exchanges` are the requests and responses of the token and device code endpoints, `serverErrors`
// the provider's own errors. `tokenLifetime` and `deviceCodeLifetime` apply to the next access tokens and device codes, in
// seconds.
export async function createProvider(issuer, tenant) {
  const entra = { exchanges: [], serverErrors: [], tokenLifetime: 3600, deviceCodeLifetime: 900 };
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'e2e' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clients: [
      {
        client_id: CLIENT_ID,
        client_name: 'MSCommerce',
        // A native public client: no secret, and any port of the registered redirect URI (RFC 8252, section 7.3).
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
          accessTokenTTL: entra.tokenLifetime,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer.accessTokenTTL,
      DeviceCode: () => entra.deviceCodeLifetime,
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
    // Claims of Entra's access tokens that are not in RFC 9068.
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
      const [, requestedTenant] = ctx.req.originalUrl.split('/');
      entra.exchanges.push({ route, requestedTenant, form: { ...body }, status: ctx.status, response: { ...ctx.body } });
    }
  });
  provider.on('server_error', (_ctx, error) => entra.serverErrors.push(error));
  // Shorter than the default interval of five seconds, to save time.
  provider.on('device_authorization.success', (_ctx, body) => Object.assign(body, { interval: 1 }));

  return Object.assign(entra, {
    provider,
    // Returns the exchanges of the token endpoint, optionally of one grant type.
    tokenRequests: (type) =>
      entra.exchanges.filter(({ route, form }) => route === 'token' && (!type || form.grant_type === type)),
    // Returns all secrets in requests and responses, with their names.
    secrets: () =>
      entra.exchanges.flatMap(({ form, response }) =>
        [form, response].flatMap((parameters) =>
          SECRET_PARAMETERS.filter((name) => parameters[name]).map((name) => [name, parameters[name]]),
        ),
      ),
  });
}
