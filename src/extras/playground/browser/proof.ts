import type { ProofDemand } from './account.js';
import { byId, element, within } from './dom.js';
// room: mfa
import { usePasskey } from './passkeys.js';
// /room

const KINDS: Readonly<Record<string, string>> = {
  // room: mfa
  totp: 'Code of the authenticator app',
  recoveryCode: 'Recovery code',
  passkey: 'Passkey',
  // /room
  // room: anomalies
  emailCode: 'Code from the mail',
  // /room
};

/** Asks the person for a second proof. Undefined if the person cancels. */
export async function askProof(demand: ProofDemand): Promise<object | undefined> {
  const dialog = byId('proof', HTMLDialogElement);
  const kind = within(dialog, 'select', HTMLSelectElement);
  const code = within(dialog, 'input', HTMLInputElement);
  byId('proof-text').textContent = demand.detail;
  kind.replaceChildren(
    ...demand.methods.map((name) => element('option', { value: name }, KINDS[name] ?? name)),
  );
  const follow = () => {
    const needsCode = kind.value !== 'passkey';
    byId('proof-code').hidden = !needsCode;
    code.required = needsCode;
  };
  follow();
  code.value = '';
  dialog.returnValue = '';
  const closed = new AbortController();
  kind.addEventListener('change', follow, closed);
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  closed.abort();
  if (dialog.returnValue !== 'send') return undefined;
  // room: mfa
  if (kind.value === 'passkey') return { passkey: await usePasskey(demand.passkeyOptions!) };
  // /room
  return { [kind.value]: code.value.trim() };
}
