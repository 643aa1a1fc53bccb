// The demo's identity provider: OpenID Connect with invented people, so that the demo takes the same way in as
// production does with MitID. Loopback only, no passwords: whoever can reach it can be anybody in it. Never with real data.
//
//   NGC_IDENTITY_PORT       loopback port; the issuer is http://identity.localhost:<port>
//   NGC_PUBLIC_URL          the workbench's address: the one place to which a log-in leads back
//   NODE_PATH               where oidc-provider is installed
//   NGC_IDENTITY_PEOPLE     optional: another list of people
import { createHash, createHmac, generateKeyPairSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { choosePage, errorPage } from './pages.js';

// Only `require` looks along NODE_PATH; `import` does not.
const { Provider } = await import(pathToFileURL(createRequire(import.meta.url).resolve('oidc-provider')).href);

const port = Number(process.env.NGC_IDENTITY_PORT);
const publicUrl = process.env.NGC_PUBLIC_URL;
if (!port || !publicUrl) {
  console.error('identity provider: NGC_IDENTITY_PORT and NGC_PUBLIC_URL are needed');
  process.exit(2);
}
const issuer = `http://identity.localhost:${port}`;
const clientId = process.env.NGC_OIDC_CLIENT_ID || 'ngc-workbench';
// Known to everybody, as all of the demo is; ngc_workbench/sessions/login.py has the same.
const clientSecret = process.env.NGC_OIDC_CLIENT_SECRET || 'demo-client-secret-known-to-all';
const peopleFile = process.env.NGC_IDENTITY_PEOPLE || path.join(import.meta.dirname, 'people.json');

const people = new Map(JSON.parse(readFileSync(peopleFile, 'utf8')).map((person) => [person.name, person]));

// What a MitID log-in at level substantial with an authenticator app would prove.
const ACR = 'https://data.gov.dk/concept/core/nsis/loa/Substantial';
const AMR = ['mfa', 'otp'];
const NGC_CLAIMS = ['roles', 'research_group', 'training_until', 'acr', 'amr'];

function signingKey() {
  // Made anew at each start: a demo's tokens need not outlive it.
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: randomBytes(8).toString('hex') };
}

function account(id) {
  const person = people.get(id);
  if (!person) return undefined;
  return {
    accountId: id,
    claims: () => ({
      sub: person.name,
      name: person.full_name,
      preferred_username: person.name,
      email: person.email,
      email_verified: true,
      roles: person.roles,
      research_group: person.research_group,
      training_until: person.training_until,
      acr: person.acr ?? ACR,
      amr: person.amr ?? AMR,
    }),
  };
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [`${publicUrl}/hub/oauth_callback`],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  claims: {
    openid: ['sub'],
    profile: ['name', 'preferred_username'],
    email: ['email', 'email_verified'],
    ngc: NGC_CLAIMS,
  },
  scopes: ['openid', 'offline_access'],
  // The identity token carries them too: assurance (acr, amr) is read from there in production.
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false }, userinfo: { enabled: true } },
  pkce: { required: () => true },
  issueRefreshToken: async (_ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('openid'),
  jwks: { keys: [signingKey()] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, IdToken: 3600, Interaction: 600, Session: 3600, Grant: 86400, RefreshToken: 86400 },
  findAccount: async (_ctx, id) => account(id),
  interactions: { url: (_ctx, interaction) => `/choose/${interaction.uid}` },
  // The workbench is the provider's own client: nobody is asked for consent.
  loadExistingGrant: async (ctx) => {
    const { client, session, result } = ctx.oidc;
    const known = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
    if (known) return ctx.oidc.provider.Grant.find(known);
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile email ngc offline_access');
    await grant.save();
    return grant;
  },
  renderError: async (ctx, out) => {
    ctx.type = 'html';
    ctx.body = errorPage(out.error_description ?? out.error);
  },
});

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

function send(response, status, html) {
  const style = /<style>([^]*?)<\/style>/.exec(html)[1];
  const hash = createHash('sha256').update(style).digest('base64');
  // No form-action: browsers apply it to the redirects that follow, and the last of them leads back to the workbench.
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`;
  response.writeHead(status, { ...HEADERS, 'Content-Security-Policy': policy });
  response.end(html);
}

async function body(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > 4096) throw new Error('too long');
    parts.push(part);
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
}

// A page of another site can't post the form: it doesn't know this value, which hangs on the interaction.
const formKey = randomBytes(32);
const formToken = (uid) => createHmac('sha256', formKey).update(uid).digest('hex');
const sameToken = (given, uid) => {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(formToken(uid))];
  return a.length === b.length && timingSafeEqual(a, b);
};

async function choose(request, response, uid) {
  const details = await provider.interactionDetails(request, response);
  if (details.uid !== uid) throw new Error('another interaction');
  if (request.method === 'GET') {
    send(response, 200, choosePage([...people.values()], uid, formToken(uid)));
    return;
  }
  const form = await body(request);
  const person = people.get(form.get('person') ?? '');
  if (request.method !== 'POST' || !person || !sameToken(form.get('token'), uid)) {
    send(response, 400, errorPage('Vælg en person på listen. · Choose a person from the list.'));
    return;
  }
  await provider.interactionFinished(
    request,
    response,
    { login: { accountId: person.name, acr: person.acr ?? ACR, amr: person.amr ?? AMR, remember: false } },
    { mergeWithLastSubmission: false },
  );
}

const serve = provider.callback();
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, issuer);
  const interaction = /^\/choose\/([A-Za-z0-9_-]{1,64})$/.exec(pathname);
  if (interaction) {
    choose(request, response, interaction[1]).catch((error) => {
      console.error(`identity provider: ${error.message}`);
      if (!response.headersSent) {
        send(response, 400, errorPage('Denne log-in er udløbet. Begynd forfra. · This log-in has expired. Start again.'));
      }
    });
  } else if (pathname === '/-/health') {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.end('ok\n');
  } else {
    serve(request, response);
  }
});
server.on('error', (error) => {
  console.error(`identity provider: can't listen on 127.0.0.1:${port}: ${error.message}`);
  process.exit(3);
});
server.listen(port, '127.0.0.1', () => console.log(`identity provider: ${issuer}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
