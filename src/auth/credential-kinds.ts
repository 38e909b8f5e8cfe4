import type { Argument, Arguments } from '../platform/commands/arguments.js';
import type { Config } from '../platform/config/config.js';

/** The part of a request that carries a credential. */
export interface Place {
  readonly type: 'header' | 'scheme' | 'cookie';
  /** The name of the header or cookie, or the scheme of `Authorization`. Only the name of a cookie has a case. */
  readonly name: string;
}

/** A credential from the input of `npm run inspect`. */
export interface Pasted {
  /** Undefined for a credential without its header. */
  readonly place: Place | undefined;
  readonly text: string;
}

export interface Inspection {
  readonly config: Config;
  /** The time of this machine's clock. */
  readonly now: Date;
  /** The values of the options that kinds declare. */
  readonly given: Arguments;
  /** All credentials of the input. */
  readonly pasted: readonly Pasted[];
}

/** A label and a value of the output. */
export type Fact = readonly [string, string];

export interface Finding {
  /** The public start of the text. No other part of a secret is printed. */
  readonly prefix?: string | undefined;
  /** Why the server refuses the text without a look-up, in the words of its log. Empty if it does not. */
  readonly faults: readonly string[];
  readonly facts?: readonly Fact[];
  /** The checks that only the server can make. */
  readonly unchecked?: string;
}

/** A kind of credential that `npm run inspect` explains. Nothing here does I/O over the network or asks a database. */
export interface CredentialKind {
  /** A noun, such as `API key`. */
  readonly name: string;
  readonly places?: readonly Place[];
  /** Further options of the command. */
  readonly options?: Readonly<Record<string, Argument>>;
  /** Returns whether a text could be meant as this kind. It can have faults. */
  recognises(text: string): boolean;
  examine(text: string, inspection: Inspection): Finding | Promise<Finding>;
}

const kinds = new Map<string, CredentialKind>();

/** Declares a kind of credential, in the room that issues it. @throws if the name is already declared */
export function defineCredentialKind(kind: CredentialKind): void {
  if (kinds.has(kind.name)) throw new Error(`the kind of credential "${kind.name}" is declared twice`);
  kinds.set(kind.name, kind);
}

/** All kinds, sorted by name. */
export const credentialKinds = (): CredentialKind[] =>
  [...kinds.values()].toSorted((a, b) => a.name.localeCompare(b.name));
