/**
 * The certificate authority of one data directory: made once, kept, and trusted by whoever is given its certificate
 * (`NODE_EXTRA_CA_CERTS`). It signs one server certificate for the loopback names; nothing else ever carries its signature, because its key is
 * not kept.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Authority {
  /** PEM file of the authority's certificate, absolute if `dir` is. */
  readonly caPath: string;
  /** PEM of the server's key and certificate. */
  readonly key: string;
  readonly cert: string;
}

/** Longer than anybody keeps a data directory, in ms: 10 years. Some clients refuse server certificates beyond 825 days; Node does not. */
const VALID_MS = 10 * 365 * 24 * 3_600_000;
/** A clock that is a little behind must not refuse a new certificate. */
const BACKDATED_MS = 24 * 3_600_000;
/** Less left than this, and a new one is made. */
const RENEWED_BEFORE_MS = 30 * 24 * 3_600_000;

/** Reads or makes the authority in `dir`; running processes keep the one they have. `now` in epoch ms. */
export async function ensureAuthority(dir: string, now: number = Date.now()): Promise<Authority> {
  mkdirSync(dir, { recursive: true });
  const caPath = join(dir, 'ca.pem');
  const serverPath = join(dir, 'server.json');
  const kept = readServer(serverPath);
  if (kept && existsSync(caPath) && isCurrent(kept.cert, readFileSync(caPath, 'utf8'), now)) return { caPath, ...kept };
  const { ca, key, cert } = await make(now);
  // The authority is written last: a directory that has it is complete.
  writeWhole(serverPath, JSON.stringify({ key, cert }), 0o600);
  writeWhole(caPath, ca, 0o644);
  return { caPath, key, cert };
}

function readServer(path: string): { key: string; cert: string } | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const { key, cert } = JSON.parse(readFileSync(path, 'utf8')) as { key?: unknown; cert?: unknown };
    return typeof key === 'string' && typeof cert === 'string' ? { key, cert } : undefined;
  } catch {
    return undefined; // torn by a crash while it was made: made again
  }
}

function isCurrent(cert: string, ca: string, now: number): boolean {
  try {
    const server = new X509Certificate(cert);
    return server.verify(new X509Certificate(ca).publicKey) && server.validToDate.getTime() - now > RENEWED_BEFORE_MS;
  } catch {
    return false;
  }
}

async function make(now: number): Promise<{ ca: string; key: string; cert: string }> {
  // Loaded only when needed: a process that comes back to its data directory saves its memory.
  const { generate } = await import('selfsigned');
  const validity = { notBeforeDate: new Date(now - BACKDATED_MS), notAfterDate: new Date(now + VALID_MS) };
  const common = { ...validity, algorithm: 'sha256', keyType: 'ec', curve: 'P-256' } as const;
  const authority = await generate([{ name: 'commonName', value: 'Flotilla embedded platform' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { ca: authority.cert, key: server.private, cert: server.cert };
}

/** A reader sees the old file or the whole new one. */
function writeWhole(path: string, text: string, mode: number): void {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, text, { mode });
  renameSync(draft, path);
}
