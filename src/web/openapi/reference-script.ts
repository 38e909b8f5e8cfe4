/**
 * Starts Swagger UI, in the colours that the browser prefers. "Try it out" must also work with a cookie, so the page sends the
 * CSRF token by itself: the security scheme of the cookie says in which header, and which operation answers it.
 */
export const REFERENCE_SCRIPT = `const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();

const READS = ['GET', 'HEAD', 'OPTIONS'];
let csrfTokens = [];
let credentialHeaders = [];

/** Learns where CSRF tokens come from, and hides the parameters that the page fills in by itself. */
function prepare(description) {
  const schemes = Object.values(description.components?.securitySchemes ?? {});
  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );
  credentialHeaders = ['authorization', ...schemes.filter((one) => one.in === 'header').map((one) => one.name.toLowerCase())];
  csrfTokens = schemes.filter((scheme) => scheme['x-csrf-header']).map((scheme) => ({
    header: scheme['x-csrf-header'],
    field: scheme['x-csrf-field'],
    path: operations.find(({ operation }) => operation.operationId === scheme['x-csrf-operation']).path,
  }));
  const filledIn = csrfTokens.map(({ header }) => header);
  for (const { operation } of operations)
    if (operation.parameters) operation.parameters = operation.parameters.filter(({ name }) => !filledIn.includes(name));
  return description;
}

/** The token is asked for before each write, because a sign-in or a new password changes it. No other server receives it. */
async function addCsrfTokens(request) {
  const isOurs = new URL(request.url, location.href).origin === location.origin;
  const isExplicit = Object.keys(request.headers ?? {}).some((name) => credentialHeaders.includes(name.toLowerCase()));
  if (!isOurs || isExplicit || READS.includes((request.method ?? 'GET').toUpperCase())) return request;
  for (const { header, field, path } of csrfTokens) {
    const answer = await fetch(path);
    if (answer.ok) request.headers = { ...request.headers, [header]: (await answer.json())[field] };
  }
  return request;
}

SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: addCsrfTokens,
  plugins: [
    { statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (description) => update(prepare(description)) } } } },
  ],
});
`;
