import { byIntrospection } from './by-introspection.js';
import { byKeys } from './by-keys.js';
import { createResourceServer } from './server.js';

const { ISSUER = 'http://localhost:3000', PORT = '4000', KEY_ID, KEY } = process.env;
const { AUDIENCE: audience = `http://localhost:${PORT}` } = process.env;

const verify =
  KEY_ID && KEY
    ? byIntrospection(
        { issuer: ISSUER, audience, url: `${ISSUER}/oauth/introspect` },
        { id: KEY_ID, key: KEY },
      )
    : byKeys({ issuer: ISSUER, audience, url: `${ISSUER}/.well-known/jwks.json` });

createResourceServer(verify).listen(Number(PORT), 'localhost', () => {
  console.log(
    `The service listens at http://localhost:${PORT} and accepts tokens of ${ISSUER} for ${audience}.`,
  );
});
