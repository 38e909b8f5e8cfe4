import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { defineCredentialKind } from '../../auth/credential-kinds.js';
import { keyFault } from '../../modes/api-keys/api-key.format.js';
import { authorizationScheme, authorizationToken, countHeaders } from '../../auth/presented-credential.js';
import { decodeStrictly, decodeUtf8 } from '../../platform/crypto/strict-decoding.js';
import { OAuthError } from './oauth.errors.js';

/** Only these parameters can be repeated (RFC 8707 section 2, RFC 8693 section 2.1, RFC 6749 section 3.2). */
const MAY_REPEAT = new Set(['resource', 'audience']);

const CREDENTIAL_HEADERS = new Set(['authorization', 'x-api-key']);

/** The client authentication in a request, not yet checked. */
export interface PresentedClient {
  readonly by: 'basic' | 'body' | 'key' | 'unknown scheme' | 'nothing';
  readonly id: string | undefined;
  readonly secret: string | undefined;
}

/** The form and the client authentication of a request. */
export class OAuthRequest {
  constructor(
    private readonly form: URLSearchParams,
    readonly client: PresentedClient,
  ) {}

  /** A parameter without a value counts as missing (RFC 6749 section 3.2). */
  get(name: string): string | undefined {
    return this.form.get(name) || undefined;
  }

  getAll(name: string): string[] {
    return this.form.getAll(name).filter(Boolean);
  }

  /** @throws OAuthError */
  require(name: string): string {
    const value = this.get(name);
    if (value === undefined) throw new OAuthError('invalid_request', `The parameter ${name} is missing.`);
    return value;
  }
}

/** @throws OAuthError for a repeated parameter */
export function readOAuthRequest(request: FastifyRequest): OAuthRequest {
  const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
  const names = [...form.keys()].filter((name) => !MAY_REPEAT.has(name));
  if (new Set(names).size < names.length)
    throw new OAuthError('invalid_request', 'A parameter must not be sent more than once.');
  return new OAuthRequest(form, presentedClient(request, form));
}

/** Parameter decorator: the form and the client authentication of the request. */
export const Form = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  readOAuthRequest(context.switchToHttp().getRequest<FastifyRequest>()),
);

function presentedClient(request: FastifyRequest, form: URLSearchParams): PresentedClient {
  const [id, secret] = [form.get('client_id') || undefined, form.get('client_secret') || undefined];
  const headers = countHeaders(request, CREDENTIAL_HEADERS);
  // A request must use only one method (RFC 6749 section 2.3).
  if (headers > 1 || (headers > 0 && secret !== undefined))
    throw new OAuthError('invalid_request', 'The client must use only one authentication method.');
  if (headers === 0) return { by: (secret ?? id) ? 'body' : 'nothing', id, secret };
  const inHeader = clientInHeader(request);
  if (id !== undefined && inHeader.id !== undefined && id !== inHeader.id)
    throw new OAuthError('invalid_request', 'The parameter client_id must be the authenticated client.');
  return { ...inHeader, id: inHeader.id ?? id };
}

function clientInHeader(request: FastifyRequest): PresentedClient {
  const { 'x-api-key': key } = request.headers;
  if (typeof key === 'string') return { by: 'key', id: undefined, secret: key };
  const scheme = authorizationScheme(request);
  const credential = authorizationToken(request);
  if (scheme === 'apikey') return { by: 'key', id: undefined, secret: credential };
  if (scheme !== 'basic') return { by: 'unknown scheme', id: undefined, secret: undefined };
  return { by: 'basic', ...clientInBasic(credential ?? '') };
}

function clientInBasic(credential: string): Pick<PresentedClient, 'id' | 'secret'> {
  const bytes = decodeStrictly(credential, 'base64');
  const [, id, secret] = /^([^:]*):(.*)$/s.exec((bytes && decodeUtf8(bytes)) ?? '') ?? [];
  return { id: formDecode(id), secret: formDecode(secret) };
}

/** Clients form-encode id and secret before they put them into HTTP Basic (RFC 6749 section 2.3.1). */
function formDecode(text: string | undefined): string | undefined {
  try {
    return text ? decodeURIComponent(text.replaceAll('+', ' ')) : undefined;
  } catch {
    return undefined;
  }
}

defineCredentialKind({
  name: 'OAuth client authentication',
  places: [{ type: 'scheme', name: 'Basic' }],
  recognises: (text) => clientInBasic(text).secret !== undefined,
  examine: (text, { config }) => {
    const { id, secret } = clientInBasic(text);
    const fault = secret === undefined ? 'no secret' : keyFault(secret, config.API_KEY_ENVIRONMENT);
    return {
      faults: fault ? [fault] : [],
      facts: [['client id', `${(id ?? '').length} characters`]],
      unchecked: 'whether the id is the id of the key, and whether the key has expired or is revoked',
    };
  },
});
