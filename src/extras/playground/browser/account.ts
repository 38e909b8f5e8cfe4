import { accepted, type Client, type Problem, RefusedError } from './client.js';
import { askProof } from './proof.js';
// room: mfa
import { usePasskey } from './passkeys.js';
// /room

/** A proof of identity in the body of a sign-in, such as `{ email, password }`. */
type Proof = Readonly<Record<string, unknown>>;

/** The fields of 401 `mfa-required` beside those of a problem. */
export interface ProofDemand extends Problem {
  readonly mfaToken: string;
  readonly methods: readonly string[];
  readonly passkeyOptions?: PublicKeyCredentialRequestOptionsJSON;
}

/** The person who uses the page. The fields of the form are the only place with the password. */
export class Account {
  // room: mfa
  /** Whether the person has chosen to sign in without a password. */
  byPasskey = false;
  // /room

  constructor(
    private readonly api: Client,
    private readonly form: HTMLFormElement,
  ) {}

  /** Returns what the server says about the next step. @throws RefusedError */
  async register(): Promise<string> {
    const json = { email: this.#field('email'), password: this.#field('password') };
    const { body } = await this.api.demand<{ message: string }>({ method: 'POST', path: 'v1/users', json });
    return body.message;
  }

  /**
   * Signs in at a route. The browser sends and keeps cookies only if `cookies` says so.
   * @throws RefusedError
   */
  async signIn<Body>(path: string, parameters: object, cookies: boolean): Promise<Body> {
    const send = (json: object) => this.api.send<Body>({ method: 'POST', path, json, cookies });
    const first = await send({ ...(await this.#proof()), ...parameters });
    const demand = first.problem as ProofDemand | undefined;
    if (!demand?.mfaToken) return accepted(first).body;
    const proof = await askProof(demand);
    if (!proof) throw new RefusedError(first);
    return accepted(await send({ mfaToken: demand.mfaToken, ...proof })).body;
  }

  async #proof(): Promise<Proof> {
    // room: mfa
    if (this.byPasskey) {
      const path = 'v1/passkey-options';
      const { body } = await this.api.demand<PublicKeyCredentialRequestOptionsJSON>({ method: 'POST', path });
      return { passkey: await usePasskey(body) };
    }
    // /room
    return { email: this.#field('email'), password: this.#field('password') };
  }

  #field(name: string): string {
    if (!this.form.reportValidity()) throw new Error('Enter an email address and a password first.');
    return (this.form.elements.namedItem(name) as HTMLInputElement).value;
  }
}
