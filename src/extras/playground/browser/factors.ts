import { accepted } from './client.js';
import type { Desk } from './credential.js';
import { byId, onPress, onSubmit, within } from './dom.js';
import { messageOf } from './explain.js';
import { makePasskey } from './passkeys.js';

interface EnrolledFactors {
  readonly totp: boolean;
  readonly passkeys: readonly { readonly id: string }[];
}
interface TotpSecret {
  readonly secret: string;
  readonly qrSvg: string;
}
interface Enrolled {
  readonly recoveryCodes?: readonly string[];
}

/** Adds and removes second factors of the person, by the buttons of the section. */
export function manageFactors(desk: Desk): void {
  const factors = new Factors(desk);
  onPress(byId('add-totp'), () => tell(() => factors.beginTotp()));
  onSubmit(byId('totp', HTMLFormElement), () => tell(() => factors.enrolTotp()));
  onPress(byId('add-passkey'), () => tell(() => factors.addPasskey()));
  onPress(byId('remove-factors'), () => tell(() => factors.removeAll()));
}

/** Shows what the work says, or what went wrong. */
async function tell(work: () => Promise<string>): Promise<void> {
  const status = byId('factors-status');
  try {
    status.textContent = await work();
  } catch (error) {
    status.textContent = messageOf(error);
  }
}

class Factors {
  readonly #form = byId('totp', HTMLFormElement);

  constructor(private readonly desk: Desk) {}

  async beginTotp(): Promise<string> {
    const { secret, qrSvg } = await this.#send<TotpSecret>('POST', 'v1/mfa/totp');
    byId('totp-qr', HTMLImageElement).src = `data:image/svg+xml,${encodeURIComponent(qrSvg)}`;
    byId('totp-secret').textContent = secret;
    this.#form.hidden = false;
    const code = within(this.#form, 'input', HTMLInputElement);
    code.value = '';
    code.focus();
    return 'Enter the first code of the app.';
  }

  async enrolTotp(): Promise<string> {
    const code = within(this.#form, 'input', HTMLInputElement).value;
    const enrolled = await this.#send<Enrolled>('PUT', 'v1/mfa/totp', { code });
    this.#form.hidden = true;
    return `The authenticator app is active. ${codesOf(enrolled)}`;
  }

  async addPasskey(): Promise<string> {
    const path = 'v1/mfa/passkeys';
    const options = await this.#send<PublicKeyCredentialCreationOptionsJSON>('POST', `${path}/options`);
    const passkey = await makePasskey(options);
    return `The passkey is registered. ${codesOf(await this.#send<Enrolled>('POST', path, { passkey }))}`;
  }

  async removeAll(): Promise<string> {
    const { totp, passkeys } = await this.#send<EnrolledFactors>('GET', 'v1/mfa');
    if (totp) await this.#send('DELETE', 'v1/mfa/totp');
    for (const { id } of passkeys) await this.#send('DELETE', `v1/mfa/passkeys/${id}`);
    this.#form.hidden = true;
    return totp || passkeys.length > 0 ? 'The factors are removed.' : 'There is no factor to remove.';
  }

  /** A change of factors renews the secrets of the sign-in. */
  async #send<Body>(method: string, path: string, json?: object): Promise<Body> {
    const acting = await this.desk.acting();
    const { body } = accepted(await acting.send<Body>({ method, path, ...(json && { json }) }));
    const isRenewal = 'csrfToken' in (body as object) || 'access_token' in (body as object);
    if (isRenewal) acting.adopt?.(body as object);
    return body;
  }
}

const codesOf = ({ recoveryCodes }: Enrolled): string =>
  recoveryCodes ? `Recovery codes, shown once: ${recoveryCodes.join(', ')}.` : '';
