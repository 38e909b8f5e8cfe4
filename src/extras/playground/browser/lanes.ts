import type { Lane } from './credential.js';
// room: sessions
import { sessionLane } from './sessions.lane.js';
// /room
// room: jwt
import { jwtLane } from './jwt.lane.js';
// /room
// room: opaque-tokens
import { opaqueLane } from './opaque-tokens.lane.js';
// /room
// room: own-api-keys
import { apiKeyLane } from './own-api-keys.lane.js';
// /room
// room: oauth
import { machineLane } from './oauth.lane.js';
// /room

/** The lanes of this server. Those of people come first: the others need one of them. */
export const LANES: readonly Lane[] = [
  // room: sessions
  sessionLane,
  // /room
  // room: jwt
  jwtLane,
  // /room
  // room: opaque-tokens
  opaqueLane,
  // /room
  // room: own-api-keys
  apiKeyLane,
  // /room
  // room: oauth
  machineLane,
  // /room
];
