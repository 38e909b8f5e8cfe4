import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Self-signed, for db.example.com, until 2126. Made for these tests: it protects nothing. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBpDCCAUqgAwIBAgIUVmiQxgQe/fIvuAAgNfO2FXwSovAwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOZGIuZXhhbXBsZS5jb20wIBcNMjYxMTI2MDExNzUyWhgPMjEy
NjExMDIwMTE3NTJaMBkxFzAVBgNVBAMMDmRiLmV4YW1wbGUuY29tMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE7NOHEwTC3H7RLv6VzEexugIPZB7tmdyTt/lHcuQQ
QRSTrNuql5U0bF9Z77fLPsfenYU0rd9mOt9WCJE68kqI+KNuMGwwHQYDVR0OBBYE
FFwVfgMim2OXLdQ7dCgKYyRsAm52MB8GA1UdIwQYMBaAFFwVfgMim2OXLdQ7dCgK
YyRsAm52MA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIIOZGIuZXhhbXBsZS5j
b20wCgYIKoZIzj0EAwIDSAAwRQIgX3t1Vp4DxsSZ5MGcEtHfy0aTgpEYN1Cm48E7
oy8dq6MCIQDLtsBbF/B22XoDIwxlvrx0U6iEbolIUTyx8tfHvQ6tsg==
-----END CERTIFICATE-----
`;
const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+tTcXV5IrkwqbtGI
sOVBwo4EwuPBzcPE2C6wti52dFyhRANCAATs04cTBMLcftEu/pXMR7G6Ag9kHu2Z
3JO3+Udy5BBBFJOs26qXlTRsX1nvt8s+x96dhTSt32Y631YIkTrySoj4
-----END PRIVATE KEY-----
`;

/** Answers PostgreSQL's request for TLS with this certificate, and then nothing. */
export async function startTlsDatabase(): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write('S');
      new TLSSocket(socket, { isServer: true, key: PRIVATE_KEY, cert: CERTIFICATE }).on(
        'error',
        () => undefined,
      );
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
