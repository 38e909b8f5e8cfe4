/** A route that every lane can call. */
export interface ExampleRoute {
  readonly method: string;
  readonly path: string;
  /** The scope that a key needs for it. */
  readonly scope: string;
  readonly json?: object;
}

export const ROUTES: readonly ExampleRoute[] = [
  { method: 'GET', path: 'v1/users/me', scope: 'profile:read' },
  // room: orders
  { method: 'GET', path: 'v1/orders', scope: 'orders:read' },
  { method: 'POST', path: 'v1/orders', scope: 'orders:write', json: { item: 'A teapot', quantity: 1 } },
  // /room
  // room: events
  { method: 'POST', path: 'v1/events', scope: 'events:write', json: { type: 'playground.tried' } },
  // /room
  // room: reports
  { method: 'GET', path: 'v1/reports/summary', scope: 'reports:read' },
  // /room
  { method: 'PATCH', path: 'v1/users/me', scope: 'profile:write', json: { name: 'Ada' } },
];

/** Every kind of credential can call it. */
export const PROBE = ROUTES[0]!;
