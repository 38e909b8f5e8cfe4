import { type Answer, RefusedError } from './client.js';
import { element } from './dom.js';

/** An OAuth endpoint answers in another form (RFC 6749 section 5.2). */
interface OAuthError {
  readonly error?: string;
  readonly error_description?: string;
}

/** A refusal in words: the text of the problem, its page, and what the server asks for. */
export function explain({ problem, challenge, body, status }: Answer): DocumentFragment {
  const text = new DocumentFragment();
  if (problem) {
    text.append(element('p', {}, element('strong', {}, `${problem.title}.`), ` ${problem.detail}`));
    const link = element('a', { href: problem.type, target: '_blank' }, `About ${slugOf(problem.type)}`);
    text.append(element('p', {}, link, element('span', { class: 'aside' }, ' (new tab)')));
  } else {
    const { error = `Status ${status}`, error_description: about = '' } = (body || {}) as OAuthError;
    text.append(element('p', {}, element('strong', {}, `${error}.`), ` ${about}`));
  }
  if (challenge) text.append(element('p', {}, 'Accepted here: ', element('code', {}, challenge)));
  return text;
}

/** The text of an error, for a status line. */
export function messageOf(error: unknown): string {
  if (error instanceof RefusedError) {
    const { problem, body } = error.answer;
    return problem ? `${problem.title}. ${problem.detail}` : ((body as OAuthError).error ?? error.message);
  }
  if (error instanceof TypeError) return 'The server could not be reached. Try again.';
  if (error instanceof DOMException) return 'The browser has not given a passkey. Try again.';
  return error instanceof Error ? error.message : String(error);
}

const slugOf = (type: string): string => type.split('/').at(-1) ?? type;
