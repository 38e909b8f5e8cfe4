import type { ProtectedPolicy } from './access-policy.js';
import { type Route, RouteTable } from './route-table.js';
import type { Command } from '../platform/commands/commands.js';

const limit = (rate: { requests: number; windowSeconds: number } | undefined) =>
  rate ? `${rate.requests} in ${rate.windowSeconds} s` : '';

function secondFactor({ secondFactor }: ProtectedPolicy): string {
  if (secondFactor === undefined || secondFactor === 'never') return '';
  return secondFactor === true ? 'second factor' : 'second factor where enrolled';
}

function access({ policy }: Route): string[] {
  if (policy.public)
    return [
      'public',
      '',
      [policy.sameOrigin ? 'same origin' : '', limit(policy.rateLimit)].filter(Boolean).join(', '),
    ];
  const conditions = [
    policy.person ? 'person' : policy.user ? 'user' : '',
    policy.recentSignIn ? 'recent sign-in' : '',
    secondFactor(policy),
    policy.live ? 'live' : '',
    policy.resource ? `resource ${policy.resource}` : '',
    ...policy.requires.map(({ definition }) => definition.name),
  ];
  return [policy.modes.join(' '), policy.scopes.join(' '), conditions.filter(Boolean).join(', ')];
}

export const command: Command = {
  async run({ application }) {
    const routes = (await application())
      .get(RouteTable)
      .all()
      .toSorted((a, b) => a.path.localeCompare(b.path) || a.method.localeCompare(b.method));
    const rows = [
      ['METHOD', 'PATH', 'ACCEPTS', 'SCOPES', 'ALSO'],
      ...routes.map((route) => [route.method, route.path, ...access(route)]),
    ];
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    const print = (row: string[]) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ');
    for (const row of rows) console.log(print(row).trimEnd());
  },
};
