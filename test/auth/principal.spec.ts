import { describe, expect, it } from '@jest/globals';
import { Principal, type PrincipalFields } from '../../src/auth/principal.js';
import type { AuthMode } from '../../src/auth/auth-modes.js';
import type { Scope } from '../../src/auth/scopes.js';

const OTHER = 'others:read' as Scope;
const MORE = 'others:write' as Scope;

const MACHINE: PrincipalFields = {
  mode: 'a mode' as AuthMode,
  kind: 'machine',
  subject: 'a user',
  credentialId: 'a key',
  scopes: ['probes:read', 'probes:write'],
};

describe('a principal', () => {
  it('[V10.3.2] can do what its scopes name, and nothing else', () => {
    const principal = new Principal(MACHINE);
    expect(principal.can('probes:read')).toBe(true);
    expect(principal.can(OTHER)).toBe(false);
    expect(principal.can('probes' as 'probes:read')).toBe(false);
  });

  it('names all missing scopes, in the order of the question', () => {
    const principal = new Principal(MACHINE);
    expect(principal.missing([OTHER, 'probes:read', MORE])).toEqual([OTHER, MORE]);
    expect(principal.missing(['probes:write'])).toEqual([]);
    expect(principal.missing([])).toEqual([]);
  });

  it('cannot be changed', () => {
    const principal = new Principal(MACHINE);
    for (const [field, value] of Object.entries({
      subject: 'another',
      kind: 'person',
      scopes: new Set(),
      more: 1,
    }))
      expect(() => Object.assign(principal, { [field]: value })).toThrow(TypeError);
    expect(Object.isFrozen(principal)).toBe(true);
  });

  it('keeps its scopes when the original list changes', () => {
    const scopes: Scope[] = ['probes:read'];
    const principal = new Principal({ ...MACHINE, scopes });
    scopes.push('probes:write');
    expect([...principal.scopes]).toEqual(['probes:read']);
  });

  it('has the sign-in of a person', () => {
    const fields = { kind: 'person', signInId: 'a sign-in', authTime: new Date(0), amr: ['pwd'] } as const;
    const { signInId, authTime, amr } = new Principal({ ...MACHINE, ...fields });
    expect({ kind: 'person', signInId, authTime, amr }).toEqual(fields);
  });

  it('has the user of a person and of a machine', () => {
    expect(new Principal(MACHINE).userId).toBe(MACHINE.subject);
  });

  it('has no user for a service account, and names the missing declaration', () => {
    const principal = new Principal({ ...MACHINE, kind: 'service-account' });
    expect(() => principal.userId).toThrow('this route must declare user: true');
  });

  it('has no sign-in for a machine, and names the missing declaration', () => {
    const principal = new Principal(MACHINE);
    expect(() => principal.signInId).toThrow("this route must declare modes: 'person'");
    expect({ authTime: principal.authTime, amr: principal.amr }).toEqual({ authTime: undefined, amr: [] });
  });
});
